/// Why bytes are no DNS message, or why a message does not fit into bytes.
package enum WireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes end before the field at `offset` does.
    case truncated(offset: Int)
    /// A label whose two upper bits are 01 or 10 (RFC 1035 section 4.1.4 defines 00 and 11 only).
    case badLabel(offset: Int)
    /// A compression pointer that does not point backwards, or the last of too many.
    case badPointer(offset: Int)
    /// A name of more than 255 octets.
    case nameTooLong(offset: Int)
    /// Record data that is shorter or longer than its type wants.
    case badRecordData(RecordType, offset: Int)
    /// More than one OPT record, or one outside the additional section, or one not owned by the root (RFC 6891, 6.1.1).
    case misplacedOPT(offset: Int)
    /// Bytes after the last record.
    case trailingBytes(offset: Int)
    /// More than 65,535 octets, or more records than a count can say.
    case messageTooLong

    package var description: String {
        switch self {
        case .truncated(let offset): "the message ends inside the field at octet \(offset)"
        case .badLabel(let offset): "the label at octet \(offset) has an undefined kind"
        case .badPointer(let offset): "the compression pointer at octet \(offset) leads nowhere"
        case .nameTooLong(let offset): "the name at octet \(offset) has more than 255 octets"
        case .badRecordData(let type, let offset): "the \(type) data at octet \(offset) has the wrong length"
        case .misplacedOPT(let offset): "the OPT record at octet \(offset) is not allowed there"
        case .trailingBytes(let offset): "there are bytes after the end of the message at octet \(offset)"
        case .messageTooLong: "the message has more than 65535 octets"
        }
    }
}
