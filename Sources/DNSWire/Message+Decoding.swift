extension Message {
    /// Reads a whole message.
    ///
    /// Any bytes give a message or an error, in time that grows with their number only: pointers lead backwards, and a
    /// count in the header is believed no further than there are bytes.
    package init(decoding bytes: some Sequence<UInt8>) throws(WireError) {
        var reader = WireReader(Array(bytes))
        guard reader.bytes.count <= Self.sizeLimit else { throw .messageTooLong }
        id = try reader.uint16()
        let flags = try reader.uint16()
        isResponse = flags & 0x8000 != 0
        opcode = UInt8(flags >> 11 & 0xF)
        isAuthoritative = flags & 0x400 != 0
        isTruncated = flags & 0x200 != 0
        isRecursionDesired = flags & 0x100 != 0
        isRecursionAvailable = flags & 0x80 != 0
        securityFlags = UInt8(flags & 0x30)
        code = ResponseCode(rawValue: flags & 0xF)
        questions = []
        answers = []
        authorities = []
        additionals = []
        edns = nil
        let counts = (try reader.uint16(), try reader.uint16(), try reader.uint16(), try reader.uint16())
        for _ in 0..<counts.0 { questions.append(try Self.question(&reader)) }
        for _ in 0..<counts.1 { answers.append(try Self.record(&reader)) }
        for _ in 0..<counts.2 { authorities.append(try Self.record(&reader)) }
        for _ in 0..<counts.3 { try readAdditional(&reader) }
        guard reader.remaining == 0 else { throw .trailingBytes(offset: reader.offset) }
    }

    private static func question(_ reader: inout WireReader) throws(WireError) -> Question {
        let name = try reader.name()
        let type = RecordType(rawValue: try reader.uint16())
        return Question(name, type, recordClass: RecordClass(rawValue: try reader.uint16()))
    }

    private static func record(_ reader: inout WireReader) throws(WireError) -> ResourceRecord {
        let start = reader.offset
        let name = try reader.name()
        let type = RecordType(rawValue: try reader.uint16())
        guard type != .opt else { throw .misplacedOPT(offset: start) }
        return try rest(&reader, name: name, type: type)
    }

    private mutating func readAdditional(_ reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        let name = try reader.name()
        let type = RecordType(rawValue: try reader.uint16())
        guard type == .opt else {
            additionals.append(try Self.rest(&reader, name: name, type: type))
            return
        }
        guard edns == nil, name == .root else { throw .misplacedOPT(offset: start) }
        let payloadSize = try reader.uint16()
        let flags = try reader.uint32()
        let length = Int(try reader.uint16())
        edns = try EDNS(reading: &reader, payloadSize: payloadSize, flags: flags & 0xFF_FFFF, length: length)
        code = ResponseCode(rawValue: UInt16(flags >> 24) << 4 | code.rawValue)
    }

    private static func rest(
        _ reader: inout WireReader, name: Name, type: RecordType
    ) throws(WireError) -> ResourceRecord {
        let recordClass = RecordClass(rawValue: try reader.uint16())
        let ttl = try reader.uint32()
        let length = Int(try reader.uint16())
        let data = try RecordData(reading: &reader, type: type, recordClass: recordClass, length: length)
        return ResourceRecord(name, ttl: ttl > UInt32(Int32.max) ? 0 : ttl, data, recordClass: recordClass)
    }
}
