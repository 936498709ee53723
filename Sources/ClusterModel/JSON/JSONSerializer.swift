/// Writes JSON with sorted keys, so that equal values give equal bytes.
struct JSONSerializer {
    private(set) var bytes: [UInt8] = []
    private let isPretty: Bool

    /// - Parameter isPretty: four spaces a level and a line each, as kubectl prints; else no space at all.
    init(isPretty: Bool) { self.isPretty = isPretty }

    mutating func append(_ value: JSONValue, level: Int = 0) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .number(let value): append(value.isFinite ? value.description : "null")
        case .string(let value): appendQuoted(value)
        case .array(let elements):
            guard !elements.isEmpty else { return append("[]") }
            append("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { append(",") }
                breakLine(level + 1)
                append(element, level: level + 1)
            }
            breakLine(level)
            append("]")
        case .object(let members):
            guard !members.isEmpty else { return append("{}") }
            append("{")
            for (index, key) in members.keys.sorted().enumerated() {
                if index > 0 { append(",") }
                breakLine(level + 1)
                appendQuoted(key)
                append(isPretty ? ": " : ":")
                append(members[key] ?? .null, level: level + 1)
            }
            breakLine(level)
            append("}")
        }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func breakLine(_ level: Int) {
        guard isPretty else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: level * 4))
    }

    private mutating func appendQuoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            case ..<0x20:
                let digits = String(byte, radix: 16)
                append("\\u00\(digits.utf8.count == 1 ? "0" : "")\(digits)")
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension JSONValue {
    /// The value as JSON bytes, keys sorted.
    package func serialized(pretty: Bool = false) -> [UInt8] {
        var serializer = JSONSerializer(isPretty: pretty)
        serializer.append(self)
        return serializer.bytes
    }

    /// The value as JSON text, keys sorted.
    package func serializedText(pretty: Bool = false) -> String {
        String(decoding: serialized(pretty: pretty), as: UTF8.self)
    }
}

extension JSONValue: CustomStringConvertible {
    /// Compact JSON with sorted keys.
    package var description: String { serializedText() }
}
