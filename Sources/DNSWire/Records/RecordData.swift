package import NetTypes

/// What a record says; types without a case of their own are kept as bytes.
package enum RecordData: Hashable, Sendable {
    case a(IPv4Address)
    case aaaa(IPv6Address)
    case cname(Name)
    case ns(Name)
    case ptr(Name)
    case soa(StartOfAuthority)
    case srv(ServiceLocation)
    /// One or more strings of at most 255 octets each.
    case txt([[UInt8]])
    /// The octets as they were received. Names inside them are not understood, so a compressed one in a type from before
    /// RFC 3597 (MX, for example) loses its meaning outside its message: pass such messages on as bytes.
    case unknown(RecordType, [UInt8])

    package var type: RecordType {
        switch self {
        case .a: .a
        case .aaaa: .aaaa
        case .cname: .cname
        case .ns: .ns
        case .ptr: .ptr
        case .soa: .soa
        case .srv: .srv
        case .txt: .txt
        case .unknown(let type, _): type
        }
    }
}

extension RecordData {
    /// Reads the `length` octets at the reader's place and has to use up all of them.
    init(reading reader: inout WireReader, type: RecordType, recordClass: RecordClass, length: Int) throws(WireError) {
        let start = reader.offset
        let end = start + length
        guard end <= reader.bytes.count else { throw .truncated(offset: start) }
        // Data formats are those of class IN; another class may use the same number for something else.
        guard recordClass == .internet else {
            self = .unknown(type, try reader.octets(length))
            return
        }
        switch type {
        case .a:
            guard length == 4 else { throw .badRecordData(type, offset: start) }
            self = .a(IPv4Address(bits: try reader.uint32()))
        case .aaaa:
            guard length == 16 else { throw .badRecordData(type, offset: start) }
            self = .aaaa(IPv6Address(high: try reader.uint64(), low: try reader.uint64()))
        case .cname: self = .cname(try reader.name(before: end))
        case .ns: self = .ns(try reader.name(before: end))
        case .ptr: self = .ptr(try reader.name(before: end))
        case .soa: self = .soa(try StartOfAuthority(reading: &reader, before: end))
        case .srv:
            guard length >= 7 else { throw .badRecordData(type, offset: start) }
            self = .srv(try ServiceLocation(reading: &reader, before: end))
        case .txt:
            var strings: [[UInt8]] = []
            while reader.offset < end {
                let count = Int(try reader.uint8())
                guard reader.offset + count <= end else { throw .badRecordData(type, offset: start) }
                strings.append(try reader.octets(count))
            }
            guard !strings.isEmpty else { throw .badRecordData(type, offset: start) }
            self = .txt(strings)
        default: self = .unknown(type, try reader.octets(length))
        }
        guard reader.offset == end else { throw .badRecordData(type, offset: start) }
    }

    /// Appends the data without its length.
    func write(to writer: inout WireWriter) {
        switch self {
        case .a(let address): writer.append(address.bits)
        case .aaaa(let address):
            writer.append(address.high)
            writer.append(address.low)
        case .cname(let name), .ns(let name), .ptr(let name): writer.append(name)
        case .soa(let soa): soa.write(to: &writer)
        case .srv(let location): location.write(to: &writer)
        case .txt(let strings):
            for string in strings.isEmpty ? [[]] : strings {
                writer.append(UInt8(min(string.count, 255)))
                writer.append(string.prefix(255))
            }
        case .unknown(_, let bytes): writer.append(bytes[...])
        }
    }
}
