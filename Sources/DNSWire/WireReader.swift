/// A place in the bytes of a message, and how to read on from it in network byte order.
struct WireReader {
    let bytes: [UInt8]
    private(set) var offset = 0

    /// Pointers that one name may follow.
    ///
    /// 126 one-octet labels fill a name, so more are never needed.
    private static let pointerLimit = 128

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var remaining: Int { bytes.count - offset }

    mutating func uint8() throws(WireError) -> UInt8 {
        guard remaining >= 1 else { throw .truncated(offset: offset) }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func uint16() throws(WireError) -> UInt16 { UInt16(truncatingIfNeeded: try integer(2)) }
    mutating func uint32() throws(WireError) -> UInt32 { UInt32(truncatingIfNeeded: try integer(4)) }
    mutating func uint64() throws(WireError) -> UInt64 { try integer(8) }

    mutating func skip(_ count: Int) throws(WireError) {
        guard remaining >= count else { throw .truncated(offset: offset) }
        offset += count
    }

    mutating func octets(_ count: Int) throws(WireError) -> [UInt8] {
        guard remaining >= count else { throw .truncated(offset: offset) }
        defer { offset += count }
        return Array(bytes[offset..<(offset + count)])
    }

    /// A name that has to begin before `end`; nothing more is said about where it ends.
    mutating func name(before end: Int) throws(WireError) -> Name {
        guard offset < end else { throw .truncated(offset: offset) }
        return try name()
    }

    /// A name, compressed or not.
    ///
    /// Each pointer has to lead to before the part of the name that it ends (RFC 1035: a prior occurrence), so that a
    /// name is read in bounded time wherever pointers lead.
    mutating func name() throws(WireError) -> Name {
        let start = offset
        var wire: [UInt8] = []
        var place = offset
        var partStart = offset
        var pointers = 0
        while true {
            guard place < bytes.count else { throw .truncated(offset: place) }
            let length = Int(bytes[place])
            switch length >> 6 {
            case 0:
                guard place + 1 + length <= bytes.count else { throw .truncated(offset: place) }
                guard wire.count + 1 + length <= 255 else { throw .nameTooLong(offset: start) }
                wire += bytes[place...(place + length)]
                place += 1 + length
                if length == 0 {
                    if pointers == 0 { offset = place }
                    return Name(uncheckedWire: wire)
                }
            case 3:
                guard place + 1 < bytes.count else { throw .truncated(offset: place) }
                let target = (length & 0x3F) << 8 | Int(bytes[place + 1])
                if pointers == 0 { offset = place + 2 }
                pointers += 1
                guard target < partStart, target >= Message.headerSize, pointers <= Self.pointerLimit else {
                    throw .badPointer(offset: place)
                }
                place = target
                partStart = target
            default: throw .badLabel(offset: place)
            }
        }
    }

    private mutating func integer(_ size: Int) throws(WireError) -> UInt64 {
        guard remaining >= size else { throw .truncated(offset: offset) }
        var value: UInt64 = 0
        for index in offset..<(offset + size) { value = value << 8 | UInt64(bytes[index]) }
        offset += size
        return value
    }
}
