/// What kiada has to know of the head of an HTTP/1.1 response (RFC 9112 sections 2 to 6).
struct ResponseHead: Equatable {
    /// How the end of the body is found (RFC 9112 section 6.3).
    enum Body: Equatable {
        case none
        case octets(Int)
        case chunked
        case toEnd
    }

    private(set) var status = 0
    /// `X-Pod-Name`: the pod that answers, if it says so.
    private(set) var podName: String?
    private(set) var isKeepAlive = false
    private var length: Int?
    private var isChunked = false

    /// How long the head at the beginning of these octets is, the empty line included; nil while its end is not there.
    static func length(in bytes: UnsafeRawBufferPointer) -> Int? {
        var index = 3
        while index < bytes.count {
            // The end is "\r\n\r\n"; most octets allow to go on by more than one.
            switch bytes[index] {
            case 0x0A:
                if bytes[index - 1] == 0x0D, bytes[index - 2] == 0x0A, bytes[index - 3] == 0x0D { return index + 1 }
                index += 2
            case 0x0D: index += 1
            default: index += 4
            }
        }
        return nil
    }

    /// - Parameter bytes: a whole head with its empty line.
    ///
    /// nil for what is no head, or one that is not safe to follow.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        var isFirst = true
        while let end = Self.lineEnd(bytes, from: start), end > start {
            let line = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            guard isFirst ? readStatus(line) : readField(line) else { return nil }
            isFirst = false
            start = end + 2
        }
        // Both lengths at once is how a second answer is smuggled in.
        guard !isFirst, start == bytes.count - 2, !(isChunked && length != nil) else { return nil }
    }

    /// How a body follows, in the answer to a GET or a POST.
    func body(of status: Int) -> Body {
        if status == 204 || status == 304 { return .none }
        if isChunked { return .chunked }
        return length.map { .octets($0) } ?? .toEnd
    }

    /// Where the line that begins at `start` has its CR LF; nil when it has another end, or a stray CR.
    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let end = bytes[start...].firstIndex(where: { $0 == 0x0D || $0 == 0x0A }) else { return nil }
        return bytes[end] == 0x0D && end + 1 < bytes.count && bytes[end + 1] == 0x0A ? end : nil
    }

    /// `HTTP/1.1 200 OK`.
    private mutating func readStatus(_ line: UnsafeRawBufferPointer) -> Bool {
        guard line.count >= 12, Self.isEqual(line[..<7], "http/1."), line[8] == 0x20,
            line[7] == UInt8(ascii: "1") || line[7] == UInt8(ascii: "0"), line.count == 12 || line[12] == 0x20,
            let status = Self.number(line[9..<12]), status >= 100
        else { return false }
        self.status = status
        isKeepAlive = line[7] == UInt8(ascii: "1")
        return true
    }

    private mutating func readField(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return false }
        let name = line[..<colon]
        guard name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
        var value = line[(colon + 1)...]
        while let first = value.first, first == 0x20 || first == 0x09 { value = value.dropFirst() }
        while let last = value.last, last == 0x20 || last == 0x09 { value = value.dropLast() }
        switch name.count {
        case 10 where Self.isEqual(name, "connection"):
            // Others than these two tokens are about nothing that is done here.
            for token in value.split(separator: UInt8(ascii: ",")) {
                let token = token.drop { $0 == 0x20 || $0 == 0x09 }
                if Self.isEqual(token.prefix(5), "close") { isKeepAlive = false }
                if Self.isEqual(token.prefix(10), "keep-alive") { isKeepAlive = true }
            }
        case 10 where Self.isEqual(name, "x-pod-name"):
            podName = podName ?? String(decoding: value, as: UTF8.self)
        case 14 where Self.isEqual(name, "content-length"):
            guard let number = Self.number(value), length == nil || length == number else { return false }
            length = number
        case 16 where Self.isEqual(name, "content-encoding"):
            // None was asked for, so a coded body is a mistake that could only be misread.
            return Self.isEqual(value, "identity")
        case 17 where Self.isEqual(name, "transfer-encoding"):
            guard Self.isEqual(value, "chunked"), !isChunked else { return false }
            isChunked = true
        default: break
        }
        return true
    }

    /// Whether the octets are this text, which has no capitals, in any case.
    private static func isEqual(_ bytes: Slice<UnsafeRawBufferPointer>, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        return zip(bytes, 0..<text.utf8CodeUnitCount).allSatisfy { octet, index in
            let wanted = text.utf8Start[index]
            return octet == wanted || (0x41...0x5A).contains(octet) && octet | 0x20 == wanted
        }
    }

    /// Digits alone; nil for anything else, and from 10¹⁵ on.
    private static func number(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 15 else { return nil }
        var number = 0
        for octet in bytes {
            guard octet >= 0x30, octet <= 0x39 else { return nil }
            number = number * 10 + Int(octet - 0x30)
        }
        return number
    }
}
