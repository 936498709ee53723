import ClusterModel

/// Bytes in base64: `data` of Secrets, `binaryData` of ConfigMaps.
enum SettingsEncoding {
    /// What is wrong with them, in the words of the API server's decoder; nil for a good object.
    static func problem(in object: KubeObject) -> String? {
        let field: String
        switch object.type {
        case .secrets: field = "data"
        case .configmaps: field = "binaryData"
        default: return nil
        }
        for (_, value) in (object.json[field]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let text = value.stringValue, let place = firstProblem(in: text) else { continue }
            return "illegal base64 data at input byte \(place)"
        }
        return nil
    }

    /// Where `text` stops being base64 with padding, as Go counts; line ends count but say nothing.
    static func firstProblem(in text: String) -> Int? {
        let bytes = Array(text.utf8)
        /// Characters of the group of four that has begun.
        var count = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x0A || byte == 0x0D {
                index += 1
            } else if byte == UInt8(ascii: "=") {
                return padding(in: bytes, at: index, after: count)
            } else if isDigit(byte) {
                count = (count + 1) % 4
                index += 1
            } else {
                return index
            }
        }
        return count == 0 ? nil : bytes.count - count
    }

    /// The rest may only be the padding of the last group.
    private static func padding(in bytes: [UInt8], at index: Int, after count: Int) -> Int? {
        guard count >= 2 else { return index }
        var rest = bytes[(index + 1)...].drop { $0 == 0x0A || $0 == 0x0D }
        if count == 2 {
            guard let next = rest.first else { return bytes.count }
            guard next == UInt8(ascii: "=") else { return rest.startIndex }
            rest = rest.dropFirst().drop { $0 == 0x0A || $0 == 0x0D }
        }
        return rest.isEmpty ? nil : rest.startIndex
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
