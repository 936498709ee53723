extension Message {
    /// The message in at most `limit` octets.
    ///
    /// When it does not fit, whole records are left out from the end (additional first, then authority, then answers) and
    /// TC is set (rule 6.11); header, questions and the OPT record always stay, whatever `limit` says.
    /// `limit` is in octets: what the client takes over UDP, or ``sizeLimit``.
    package func encoded(limit: Int = Message.sizeLimit) -> [UInt8] {
        var writer = WireWriter(capacity: min(max(limit, Self.headerSize), 1232))
        writer.append(id)
        writer.append(flags)
        for _ in 0..<4 { writer.append(UInt16(0)) }
        for question in questions {
            writer.append(question.name)
            writer.append(question.type.rawValue)
            writer.append(question.recordClass.rawValue)
        }
        writer.set(UInt16(truncatingIfNeeded: questions.count), at: 4)
        let room = min(limit, Self.sizeLimit) - (edns?.encodedSize ?? 0)
        var isCut = false
        for (section, records) in [answers, authorities, additionals].enumerated() {
            var count: UInt16 = 0
            for record in records where !isCut {
                let before = writer.bytes.count
                isCut = !Self.write(record, to: &writer) || writer.bytes.count > room || count == .max
                if isCut { writer.rollBack(to: before) } else { count += 1 }
            }
            writer.set(count, at: 6 + 2 * section)
        }
        if let edns {
            edns.write(to: &writer, extendedCode: UInt8(truncatingIfNeeded: code.rawValue >> 4))
            writer.set(UInt16(writer.bytes[10]) << 8 + UInt16(writer.bytes[11]) + 1, at: 10)
        }
        if isCut { writer.set(flags | 0x200, at: 2) }
        return writer.bytes
    }

    private var flags: UInt16 {
        var flags = UInt16(opcode & 0xF) << 11 | UInt16(securityFlags & 0x30) | code.rawValue & 0xF
        if isResponse { flags |= 0x8000 }
        if isAuthoritative { flags |= 0x400 }
        if isTruncated { flags |= 0x200 }
        if isRecursionDesired { flags |= 0x100 }
        if isRecursionAvailable { flags |= 0x80 }
        return flags
    }

    /// False when the data has more octets than its length field can say; the writer then has to be rolled back.
    private static func write(_ record: ResourceRecord, to writer: inout WireWriter) -> Bool {
        writer.append(record.name)
        writer.append(record.type.rawValue)
        writer.append(record.recordClass.rawValue)
        writer.append(record.ttl)
        let lengthOffset = writer.bytes.count
        writer.append(UInt16(0))
        record.data.write(to: &writer)
        let length = writer.bytes.count - lengthOffset - 2
        guard length <= Int(UInt16.max) else { return false }
        writer.set(UInt16(length), at: lengthOffset)
        return true
    }
}
