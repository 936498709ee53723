/// What an OPT record says about its sender and its message (EDNS version 0, RFC 6891).
package struct EDNS: Hashable, Sendable {
    /// The largest UDP payload that the sender takes, in octets; values below 512 mean 512.
    package var udpPayloadSize: UInt16
    package var version: UInt8
    package var isDNSSECOK: Bool
    package var options: [Option]

    /// One option, by number (for example 10, a cookie).
    package struct Option: Hashable, Sendable {
        package var code: UInt16
        package var data: [UInt8]

        package init(code: UInt16, data: [UInt8]) {
            self.code = code
            self.data = data
        }
    }

    package init(udpPayloadSize: UInt16, version: UInt8 = 0, isDNSSECOK: Bool = false, options: [Option] = []) {
        self.udpPayloadSize = udpPayloadSize
        self.version = version
        self.isDNSSECOK = isDNSSECOK
        self.options = options
    }

    /// Reads the options and takes the rest from the record's fields.
    ///
    /// `payloadSize` is the class field, `flags` the TTL field without its upper octet, which belongs to the response
    /// code.
    init(
        reading reader: inout WireReader, payloadSize: UInt16, flags: UInt32, length: Int
    ) throws(WireError) {
        udpPayloadSize = payloadSize
        version = UInt8(truncatingIfNeeded: flags >> 16)
        isDNSSECOK = flags & 0x8000 != 0
        options = []
        let start = reader.offset
        let end = start + length
        guard end <= reader.bytes.count else { throw .truncated(offset: start) }
        while reader.offset < end {
            guard end - reader.offset >= 4 else { throw .badRecordData(.opt, offset: start) }
            let code = try reader.uint16()
            let count = Int(try reader.uint16())
            guard reader.offset + count <= end else { throw .badRecordData(.opt, offset: start) }
            options.append(Option(code: code, data: try reader.octets(count)))
        }
    }

    /// Octets of the whole record on the wire.
    var encodedSize: Int { options.reduce(11) { $0 + 4 + $1.data.count } }

    /// Appends the whole record.
    func write(to writer: inout WireWriter, extendedCode: UInt8) {
        writer.append(UInt8(0))
        writer.append(RecordType.opt.rawValue)
        writer.append(udpPayloadSize)
        writer.append(UInt32(extendedCode) << 24 | UInt32(version) << 16 | (isDNSSECOK ? 0x8000 : 0))
        writer.append(UInt16(truncatingIfNeeded: encodedSize - 11))
        for option in options {
            writer.append(option.code)
            writer.append(UInt16(truncatingIfNeeded: option.data.count))
            writer.append(option.data[...])
        }
    }
}
