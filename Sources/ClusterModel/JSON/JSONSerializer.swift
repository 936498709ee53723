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
            var isFirst = true
            for (key, member) in members.sorted(by: { $0.key < $1.key }) {
                if isFirst { isFirst = false } else { append(",") }
                breakLine(level + 1)
                appendQuoted(key)
                append(isPretty ? ": " : ":")
                append(member, level: level + 1)
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
        var text = text
        text.withUTF8 { utf8 in
            // Most texts need no escape: whole runs are copied.
            var start = 0
            for (index, byte) in utf8.enumerated()
            where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
                append(Self.escaped(byte))
                start = index + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func escaped(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\""): return "\\\""
        case UInt8(ascii: "\\"): return "\\\\"
        case 0x0A: return "\\n"
        case 0x0D: return "\\r"
        case 0x09: return "\\t"
        default:
            let digits = String(byte, radix: 16)
            return "\\u00\(digits.utf8.count == 1 ? "0" : "")\(digits)"
        }
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
