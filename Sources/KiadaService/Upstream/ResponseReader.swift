import NIOCore

/// Puts one HTTP/1.1 response together from the octets of its connection (RFC 9112): a state machine without I/O.
///
///     head ─▶ body of a length ───────────────────────────▶ done
///      │  └─▶ chunk size ─▶ chunk data ─▶ … ─▶ trailers ──▶ done
///      │  └─▶ body up to the connection's end ────────────▶ done
///      └── 1xx: the next head
///
/// Strict where mistakes could hide another answer: lengths that contradict each other, codings that nobody asked for,
/// folded lines and names that are none are refused.
struct ResponseReader {
    /// What the connection has to do.
    enum Action: Equatable {
        case wait
        /// `isReusable`: the connection may carry another request.
        case finish(UpstreamResponse, isReusable: Bool)
        case fail(UpstreamError)
    }

    private enum State {
        case head
        case body(left: Int)
        case bodyToEnd
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailers
        case done
    }

    /// The longest acceptable head, and the longest trailer line, in octets.
    static let headLimit = 32 * 1024
    /// The longest acceptable line with the size of a chunk, in octets.
    private static let chunkLineLimit = 256

    private let bodyLimit: Int
    private var state = State.head
    /// What has come and is not used yet.
    private var pending = ByteBuffer()
    private var response = UpstreamResponse(status: 0, body: [])
    private var isReusable = false
    private var trailerOctets = 0

    /// - Parameter bodyLimit: the longest acceptable body in octets.
    init(bodyLimit: Int) { self.bodyLimit = bodyLimit }

    /// Takes what the server has sent.
    mutating func receive(_ bytes: ByteBuffer) -> Action {
        if pending.readableBytes == 0 {
            pending = bytes
        } else {
            var bytes = bytes
            pending.writeBuffer(&bytes)
        }
        do {
            while try step() {}
        } catch {
            state = .done
            return .fail(error)
        }
        guard case .done = state else { return .wait }
        return .finish(response, isReusable: isReusable && pending.readableBytes == 0)
    }

    /// The server has closed the connection: the end of some bodies, and too early otherwise.
    mutating func end() -> Action {
        guard case .bodyToEnd = state else { return .fail(.closedEarly) }
        state = .done
        return .finish(response, isReusable: false)
    }

    /// One part of the response; false when more has to come, or nothing.
    private mutating func step() throws(UpstreamError) -> Bool {
        switch state {
        case .head:
            return try readHead()
        case .body(let left):
            let left = left - take(left)
            state = left == 0 ? .done : .body(left: left)
            return false
        case .bodyToEnd:
            guard response.body.count + pending.readableBytes <= bodyLimit else { throw .tooLarge(limit: bodyLimit) }
            take(pending.readableBytes)
            return false
        case .chunkSize:
            return try readChunkSize()
        case .chunk(let left):
            let left = left - take(left)
            state = left == 0 ? .chunkEnd : .chunk(left: left)
            return left == 0
        case .chunkEnd:
            guard let line = try line(limit: 2) else { return false }
            guard line.isEmpty else { throw .invalidResponse }
            state = .chunkSize
            return true
        case .trailers:
            guard let line = try line(limit: Self.headLimit - trailerOctets) else { return false }
            trailerOctets += line.count + 2
            if line.isEmpty { state = .done }
            return !line.isEmpty
        case .done:
            return false
        }
    }

    private mutating func readHead() throws(UpstreamError) -> Bool {
        let head: ResponseHead
        let length = pending.withUnsafeReadableBytes { ResponseHead.length(in: $0) }
        guard let length else {
            guard pending.readableBytes < Self.headLimit else { throw .invalidResponse }
            return false
        }
        guard length <= Self.headLimit,
            let read = pending.withUnsafeReadableBytes({ ResponseHead(UnsafeRawBufferPointer(rebasing: $0[..<length])) }
            )
        else { throw .invalidResponse }
        head = read
        pending.moveReaderIndex(forwardBy: length)
        if (100..<200).contains(head.status) {
            // Nobody has asked for another protocol.
            guard head.status != 101 else { throw .invalidResponse }
            return true
        }
        response.status = head.status
        response.podName = head.podName
        isReusable = head.isKeepAlive
        switch head.body(of: head.status) {
        case .none: state = .done
        case .octets(let count):
            guard count <= bodyLimit else { throw .tooLarge(limit: bodyLimit) }
            response.body.reserveCapacity(count)
            state = count == 0 ? .done : .body(left: count)
        case .chunked: state = .chunkSize
        case .toEnd:
            isReusable = false
            state = .bodyToEnd
        }
        return true
    }

    private mutating func readChunkSize() throws(UpstreamError) -> Bool {
        guard let line = try line(limit: Self.chunkLineLimit) else { return false }
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
        guard digits.count <= 8, let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0,
            digits.first != UInt8(ascii: "+")
        else { throw .invalidResponse }
        guard response.body.count + size <= bodyLimit else { throw .tooLarge(limit: bodyLimit) }
        state = size == 0 ? .trailers : .chunk(left: size)
        return true
    }

    /// Moves up to `count` octets to the body; how many they were.
    @discardableResult
    private mutating func take(_ count: Int) -> Int {
        let count = min(count, pending.readableBytes)
        pending.readWithUnsafeReadableBytes { bytes in
            response.body.append(contentsOf: bytes[..<count])
            return count
        }
        return count
    }

    /// The next line without its end, if it is there.
    private mutating func line(limit: Int) throws(UpstreamError) -> [UInt8]? {
        let bytes = pending.readableBytesView
        guard let feed = bytes.prefix(limit).firstIndex(of: 0x0A) else {
            guard bytes.count < limit else { throw .invalidResponse }
            return nil
        }
        guard feed > bytes.startIndex, bytes[feed - 1] == 0x0D else { throw .invalidResponse }
        let line = Array(bytes[bytes.startIndex..<feed - 1])
        pending.moveReaderIndex(forwardBy: line.count + 2)
        return line
    }
}
