/// Reads one JSON value (RFC 8259), strictly: UTF-8, no duplicate keys, no trailing bytes, at most 100 levels deep.
///
/// Strict where Foundation's decoder is not: duplicate keys and depth are checked.
struct JSONParser {
    static let deepestLevel = 100

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    /// A key that comes again counts instead of being refused, and is noted.
    private let allowsDuplicates: Bool
    /// Where the parser is, while it has to know.
    private var path: [String] = []
    /// The paths of keys that came again.
    private(set) var duplicates: [String] = []

    /// - Parameters:
    ///   - bytes: must stay valid while the parser is used.
    ///   - allowsDuplicates: takes the last value of a key that is there twice.
    init(_ bytes: UnsafeBufferPointer<UInt8>, allowsDuplicates: Bool = false) {
        self.bytes = bytes
        self.allowsDuplicates = allowsDuplicates
    }

    mutating func parseDocument() throws(JSONParseError) -> JSONValue {
        skipSpace()
        let value = try parseValue(level: 0)
        skipSpace()
        guard position == bytes.count else { throw failure("unexpected text after the value") }
        return value
    }

    private func failure(_ reason: String, at offset: Int? = nil) -> JSONParseError {
        JSONParseError(offset: offset ?? position, reason: reason)
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func parseValue(level: Int) throws(JSONParseError) -> JSONValue {
        guard level <= Self.deepestLevel else { throw failure("nested more than \(Self.deepestLevel) levels deep") }
        switch current {
        case UInt8(ascii: "{"): return try parseObject(level: level)
        case UInt8(ascii: "["): return try parseArray(level: level)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case .some(0x2D), .some(0x30...0x39): return try parseNumber()
        case nil: throw failure("unexpected end of the text")
        default: throw failure("a value is expected")
        }
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONParseError) -> JSONValue {
        let length = word.utf8CodeUnitCount
        guard position + length <= bytes.count,
            bytes[position..<position + length].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: length))
        else { throw failure("a value is expected") }
        position += length
        return value
    }

    private mutating func parseObject(level: Int) throws(JSONParseError) -> JSONValue {
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if current == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpace()
            let start = position
            guard current == UInt8(ascii: "\"") else { throw failure("a key in double quotes is expected") }
            let key = KnownKeys.shared(try parseString())
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw failure("':' is expected") }
            position += 1
            skipSpace()
            if allowsDuplicates { path.append(path.isEmpty ? key : ".\(key)") }
            if members.updateValue(try parseValue(level: level + 1), forKey: key) != nil {
                guard allowsDuplicates else {
                    var error = failure("key \"\(key)\" is already set in this object", at: start)
                    error.isDuplicateKey = true
                    throw error
                }
                let place = path.joined()
                if !duplicates.contains(place) { duplicates.append(place) }
            }
            if allowsDuplicates { path.removeLast() }
            skipSpace()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(members)
            default: throw failure("',' or '}' is expected")
            }
        }
    }

    private mutating func parseArray(level: Int) throws(JSONParseError) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if current == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            skipSpace()
            if allowsDuplicates { path.append("[\(elements.count)]") }
            elements.append(try parseValue(level: level + 1))
            if allowsDuplicates { path.removeLast() }
            skipSpace()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(elements)
            default: throw failure("',' or ']' is expected")
            }
        }
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func parseNumber() throws(JSONParseError) -> JSONValue {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let first = current
        let digits = skipDigits()
        guard digits > 0 else { throw failure("a digit is expected") }
        guard first != UInt8(ascii: "0") || digits == 1 else {
            throw failure("a number must not begin with 0", at: start)
        }
        var isWhole = true
        if current == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            guard skipDigits() > 0 else { throw failure("a digit is expected") }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() > 0 else { throw failure("a digit is expected") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("the number is too large", at: start) }
        return .number(value)
    }

    private mutating func parseString() throws(JSONParseError) -> String {
        position += 1
        let start = position
        var bits: UInt8 = 0
        while let byte = current {
            if byte == UInt8(ascii: "\"") {
                let part = UnsafeBufferPointer(rebasing: bytes[start..<position])
                position += 1
                // The validation takes two fifths of all parsing, and most texts are ASCII.
                if bits < 0x80 { return String(decoding: part, as: UTF8.self) }
                guard let text = String(validating: part, as: UTF8.self) else {
                    throw failure("the text is not UTF-8", at: start)
                }
                return text
            }
            bits |= byte
            if byte == UInt8(ascii: "\\") { return try parseEscapedString(from: start) }
            guard byte >= 0x20 else { throw failure("a control character must be escaped") }
            position += 1
        }
        throw failure("unexpected end of the text")
    }

    /// The rest of a string in which at least one escape stands.
    private mutating func parseEscapedString(from start: Int) throws(JSONParseError) -> String {
        var text = Array(bytes[start..<position])
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw failure("the text is not UTF-8", at: start)
                }
                return string
            case UInt8(ascii: "\\"): try parseEscape(into: &text)
            case ..<0x20: throw failure("a control character must be escaped", at: position - 1)
            default: text.append(byte)
            }
        }
        throw failure("unexpected end of the text")
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws(JSONParseError) {
        guard let byte = current else { throw failure("unexpected end of the text") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try parseHex())
            if (0xD800..<0xDC00).contains(code) {
                guard current == UInt8(ascii: "\\"), position + 1 < bytes.count,
                    bytes[position + 1] == UInt8(ascii: "u")
                else { throw failure("half of a surrogate pair is missing") }
                position += 2
                let low = UInt32(try parseHex())
                guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair is missing") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair is missing") }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw failure("an unknown escape", at: position - 2)
        }
    }

    private mutating func parseHex() throws(JSONParseError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw failure("unexpected end of the text") }
        var value: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("four hexadecimal digits are expected")
            }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }
}

extension JSONValue {
    /// Reads a JSON document.
    ///
    /// - Throws: the byte offset and the reason; see ``JSONParser`` for what is refused.
    package init(parsing bytes: some Sequence<UInt8>) throws(JSONParseError) {
        let parse = { (buffer: UnsafeBufferPointer<UInt8>) throws(JSONParseError) -> JSONValue in
            var parser = JSONParser(buffer)
            return try parser.parseDocument()
        }
        self = try Array(bytes).withUnsafeBufferPointer(parse)
    }

    /// Reads a JSON document.
    package init(parsing text: some StringProtocol) throws(JSONParseError) { try self.init(parsing: text.utf8) }

    /// Reads a JSON document in which keys may come several times; the last value counts.
    ///
    /// - Returns: the paths of those keys as well, such as `spec.ports[0].port`.
    package static func parsing(
        withDuplicates bytes: [UInt8]
    ) throws(JSONParseError) -> (value: JSONValue, duplicates: [String]) {
        let parse = { (buffer: UnsafeBufferPointer<UInt8>) throws(JSONParseError) -> (JSONValue, [String]) in
            var parser = JSONParser(buffer, allowsDuplicates: true)
            let value = try parser.parseDocument()
            return (value, parser.duplicates)
        }
        return try bytes.withUnsafeBufferPointer(parse)
    }
}
