/// What a quiz calls one of its questions: any text, or a number, which is kept as its digits.
///
/// Quizzes differ: some number their questions, some name them. 1 to 128 bytes; `.` and `..` are refused, because
/// the id becomes a path component.
package struct QuestionID: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init?(_ text: some StringProtocol) {
        guard (1...128).contains(text.utf8.count), text != ".", text != ".." else { return nil }
        description = String(text)
    }

    /// Reads the id from a component of a URL's path; nil when its `%XX` are broken or do not give UTF-8.
    package init?(pathComponent: String) {
        var bytes: [UInt8] = []
        var rest = pathComponent.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), digits.utf8.count == 2, !digits.hasPrefix("+"),
                let decoded = UInt8(digits, radix: 16)
            else { return nil }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        self.init(text)
    }

    /// The id where a URL's path wants it: every byte outside RFC 3986's unreserved set as `%XX`.
    package var pathComponent: String {
        var encoded = ""
        for byte in description.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += byte < 16 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }

    /// The number that this id is, when its text is exactly how that number is written (`7`, not `07`).
    package var number: Int64? {
        Int64(description).flatMap { String($0) == description ? $0 : nil }
    }
}

extension QuestionID: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try (try? container.decode(Int64.self)).map { String($0) } ?? container.decode(String.self)
        guard let id = QuestionID(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a question id of 1 to 128 bytes")
        }
        self = id
    }

    /// A number where it is one: the book's quiz compares it with a number.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let number { try container.encode(number) } else { try container.encode(description) }
    }
}
