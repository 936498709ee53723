import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// The requests of one HTTP/1.1 connection, one after the other: a state machine without I/O.
///
///     waiting ──head──▶ reading ──end, or a body that is too long──▶ answering ──answered──▶ waiting
///        └──────────────── stop, end of input ────────────────▶ closed ◀── after the last answer
///
/// What a client sends ahead of its answers (pipelining, RFC 9112 section 9.3.2) waits here; ``wantsInput`` holds back
/// more until it is used up.
struct ExchangeQueue {
    /// A request with as much of its body as is kept.
    struct Exchange {
        /// nil for what HTTP's grammar allows and its rules do not, such as a target that is no path.
        let request: HTTPRequest?
        /// At most `bodyLimit` octets and what came with the first one too many: enough to see that it is too long.
        var body: ByteBuffer
        /// Whether the connection ends with the answer.
        let isLast: Bool
        /// Whether the client knows bodies in chunks: those of HTTP/1.0 do not.
        var takesChunks = true
    }

    /// What the connection has to do.
    enum Action {
        case wait
        case answer(Exchange)
        case close
    }

    private enum Phase {
        case waiting
        case reading(Exchange)
        case answering(isLast: Bool)
        case closed
    }

    private let bodyLimit: Int
    private var phase = Phase.waiting
    private var ahead = CircularBuffer<HTTPServerRequestPart>()
    /// The body of the request under way goes on, and is thrown away.
    private var isUnread = false
    private var inputIsOver = false
    private var isStopping = false

    /// - Parameter bodyLimit: octets of a body that are kept; a longer one is handed out at once, the rest thrown away.
    init(bodyLimit: Int) { self.bodyLimit = bodyLimit }

    /// Whether no request is being answered, and of none a part has come.
    var isIdle: Bool {
        if case .waiting = phase { true } else { false }
    }

    /// Whether an answer is to be made or written.
    var isAnswering: Bool {
        if case .answering = phase { true } else { false }
    }

    /// Whether the client may send more: until it has sent something ahead.
    ///
    /// Most wait for their answer, and for these to hold back the input would only cost system calls.
    var wantsInput: Bool { ahead.isEmpty }

    /// Takes what the client has sent.
    mutating func receive(_ part: HTTPServerRequestPart) -> Action {
        switch phase {
        case .closed:
            return .wait
        case .answering:
            if !isUnread {
                ahead.append(part)
            } else if case .end = part {
                isUnread = false
            }
            return .wait
        case .waiting, .reading:
            return take(part)
        }
    }

    /// Takes a request that is there as a whole; only a connection that ``isIdle`` may.
    mutating func receive(_ exchange: Exchange) -> Action {
        guard isIdle else { return .wait }
        return answer(exchange)
    }

    /// The answer is on its way to the client, and the connection has room for another one.
    mutating func answered() -> Action {
        guard case .answering(let isLast) = phase else { return .wait }
        guard !isLast, !isStopping else { return close() }
        phase = .waiting
        while let part = ahead.popFirst() {
            if case .answer(let exchange) = take(part) { return .answer(exchange) }
        }
        return inputIsOver ? close() : .wait
    }

    /// The client will send no more: what it has asked for is still answered.
    mutating func endInput() -> Action {
        inputIsOver = true
        return isAnswering ? .wait : close()
    }

    /// The request that has begun to come or is being answered is the last one.
    mutating func stop() -> Action {
        isStopping = true
        return isIdle ? close() : .wait
    }

    /// There will be no more requests, whatever is under way.
    mutating func end() { _ = close() }

    private mutating func take(_ part: HTTPServerRequestPart) -> Action {
        switch (phase, part) {
        case (.waiting, .head(let head)):
            let request = try? HTTPRequest(head, secure: false, splitCookie: false)
            let takesChunks = head.version.major > 1 || head.version.minor > 0
            phase = .reading(
                Exchange(
                    request: request, body: ByteBuffer(), isLast: !head.isKeepAlive, takesChunks: takesChunks))
            return .wait
        case (.waiting, .body):
            return .wait
        case (.waiting, .end):
            isUnread = false
            return .wait
        case (.reading(var exchange), .body(var bytes)):
            phase = .waiting  // so that the body is changed in place
            exchange.body.writeBuffer(&bytes)
            guard exchange.body.readableBytes > bodyLimit else {
                phase = .reading(exchange)
                return .wait
            }
            isUnread = true
            return answer(exchange)
        case (.reading(let exchange), .end):
            return answer(exchange)
        case (.reading, .head), (.answering, _), (.closed, _):
            return .wait
        }
    }

    private mutating func answer(_ exchange: Exchange) -> Action {
        phase = .answering(isLast: exchange.isLast)
        return .answer(exchange)
    }

    private mutating func close() -> Action {
        phase = .closed
        ahead.removeAll()
        return .close
    }
}
