import Glibc

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
        var start = 0
        while let feed = index(of: lineFeed, in: bytes, from: start) {
            // The end is "\r\n\r\n".
            if feed >= 3, feed == start + 1, bytes[start] == carriageReturn, bytes[start - 2] == carriageReturn {
                return feed + 1
            }
            start = feed + 1
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

    private static let carriageReturn: UInt8 = 0x0D
    private static let lineFeed: UInt8 = 0x0A

    /// Where the line that begins at `start` has its CR LF; nil when it has another end, or a stray CR.
    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let end = index(of: carriageReturn, in: bytes, from: start), end + 1 < bytes.count,
            bytes[end + 1] == lineFeed, index(of: lineFeed, in: bytes, from: start) == end + 1
        else { return nil }
        return end
    }

    private static func index(of octet: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress,
            let found = memchr(base + start, CInt(octet), bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
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
        guard let colon = Self.index(of: UInt8(ascii: ":"), in: line, from: 0), colon > 0 else { return false }
        for octet in line[..<colon] where octet <= 0x20 || octet >= 0x7F { return false }
        let name = line[..<colon]
        var (start, end) = (colon + 1, line.count)
        while start < end, line[start] == 0x20 || line[start] == 0x09 { start += 1 }
        while end > start, line[end - 1] == 0x20 || line[end - 1] == 0x09 { end -= 1 }
        let value = line[start..<end]
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
        for index in 0..<bytes.count {
            let (octet, wanted) = (bytes.base[bytes.startIndex + index], text.utf8Start[index])
            guard octet == wanted || (0x41...0x5A).contains(octet) && octet | 0x20 == wanted else { return false }
        }
        return true
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
