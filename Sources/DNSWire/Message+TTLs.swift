extension Message {
    /// Where the TTL fields of a message's records are, in octets from its start, without that of an OPT record.
    ///
    /// A cache that passes messages on as bytes ages them there.
    package static func ttlOffsets(in bytes: [UInt8]) throws(WireError) -> [Int] {
        var reader = WireReader(bytes)
        _ = try reader.uint32()
        let questions = try reader.uint16()
        let records = Int(try reader.uint16()) + Int(try reader.uint16()) + Int(try reader.uint16())
        for _ in 0..<questions {
            _ = try reader.name()
            _ = try reader.uint32()
        }
        var offsets: [Int] = []
        for _ in 0..<records {
            _ = try reader.name()
            let type = RecordType(rawValue: try reader.uint16())
            _ = try reader.uint16()
            if type != .opt { offsets.append(reader.offset) }
            _ = try reader.uint32()
            let length = Int(try reader.uint16())
            try reader.skip(length)
        }
        return offsets
    }
}
