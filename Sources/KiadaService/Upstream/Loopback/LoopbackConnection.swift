import DNSClient
import Glibc
import NIOCore
import NetTypes

/// A connection to an address of this machine without a channel, which carries one exchange after the other.
///
///     running ──answer──▶ waiting on the shelf ──run──▶ running
///        └──── failure, or no shelf ────▶ over ◀──── end of the waiting
///
/// Its socket is watched all the time, so that a server that closes, or says what nobody has asked for, is noticed before the
/// next request. Belongs to the event loop of its watch.
final class LoopbackConnection {
    /// How an exchange over a new connection begins.
    enum Start {
        case begun
        /// The name of the error number.
        case refused(String)
        /// Nothing was sent; to be done over a channel.
        case impossible
    }

    private enum State {
        case running(UpstreamExchange)
        case waiting
        case over
    }

    /// The most that a connection with nothing under way takes for certain at once, in octets.
    private static let longestRequest = 8192
    /// Octets that are read at once.
    private static let piece = 16 * 1024

    let descriptor: CInt
    /// When the running exchange or the waiting is over.
    private(set) var deadline: NIODeadline
    private let watch: SocketWatch
    private let bodyLimit: Int
    /// nil: the connection serves one exchange.
    private let shelf: UpstreamShelf?
    private var state: State
    /// Of the running exchange.
    private var reader: ResponseReader

    /// Dials, sends and waits for the answer, if that can be done without a channel; to be called on `loop`.
    ///
    /// - Parameters:
    ///   - bodyLimit: the longest acceptable body, in octets.
    ///   - shelf: where the connection is to wait for the next exchange; nil closes it after this one.
    static func begin(
        _ exchange: UpstreamExchange, at endpoint: SocketEndpoint, on loop: any EventLoop, bodyLimit: Int,
        shelf: UpstreamShelf?
    ) -> Start {
        guard endpoint.address.isLoopback, exchange.request.readableBytes <= longestRequest,
            let address = SocketAddress(endpoint), let watch = SocketWatch.of(loop), watch.hasRoom
        else { return .impossible }
        switch LoopbackDial.dial(endpoint, at: address, sending: exchange.request) {
        case .connected(let descriptor):
            let connection = LoopbackConnection(exchange, over: descriptor, watch, bodyLimit: bodyLimit, shelf: shelf)
            if !connection.watchOn() {
                connection.end(with: .failure(.undiallable("no socket can be watched: \(errno)")))
            }
            return .begun
        case .refused(ECONNRESET), .refused(EPIPE):
            // Connected, and left before the request was there.
            exchange.answer(.failure(.reset))
            return .begun
        case .refused(let code): return .refused(UpstreamError.name(ofErrno: code))
        case .unknown: return .impossible
        }
    }

    private init(
        _ exchange: UpstreamExchange, over descriptor: CInt, _ watch: SocketWatch, bodyLimit: Int, shelf: UpstreamShelf?
    ) {
        self.descriptor = descriptor
        self.watch = watch
        self.bodyLimit = bodyLimit
        self.shelf = shelf
        state = .running(exchange)
        deadline = exchange.deadline
        reader = ResponseReader(bodyLimit: bodyLimit)
    }

    deinit { close(descriptor) }

    /// Begins the next exchange, whoever took the connection from its shelf.
    func run(_ exchange: UpstreamExchange) {
        guard case .waiting = state else { return exchange.answer(.failure(.closedEarly)) }
        state = .running(exchange)
        deadline = exchange.deadline
        watch.note(deadline)
        let isSent =
            exchange.request.readableBytes <= Self.longestRequest
            && LoopbackDial.send(exchange.request, over: descriptor)
        if !isSent { stop(with: .closedEarly) }
    }

    /// Closes a connection that waits.
    func stop() {
        if case .waiting = state { stop(with: .closedEarly) }
    }

    /// The socket can be read, or is at its end, and is watched no longer.
    func becameReadable() {
        if case .over = state { return }
        var failure: CInt = 0
        watch.buffer.clear()
        let count = watch.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.piece) { bytes in
            let count = recv(descriptor, bytes.baseAddress, bytes.count, 0)
            if count < 0 { failure = errno }
            return max(count, 0)
        }
        if count == 0, failure == EAGAIN || failure == EINTR { return goOn() }
        guard case .running = state else { return endWaiting() }
        switch (count, failure) {
        case (0, ECONNRESET), (0, EPIPE): end(with: .failure(.reset))
        case (0, 0): perform(reader.end())
        case (0, _): end(with: .failure(.closedEarly))
        default: perform(reader.receive(watch.buffer))
        }
    }

    /// The deadline has passed; the socket is still watched.
    func expire() {
        switch state {
        case .running(let exchange): stop(with: .timedOut(after: exchange.limit))
        case .waiting:
            shelf?.remove(connection)
            stop()
        case .over: break
        }
    }

    /// Nobody watches the socket any more.
    func abandon() { end(with: .failure(.closedEarly)) }

    private var connection: UpstreamConnection { UpstreamConnection(self, on: watch.loop) }

    private func perform(_ action: ResponseReader.Action) {
        switch action {
        case .wait: goOn()
        case .fail(let error): end(with: .failure(error))
        case .finish(let response, let isReusable):
            guard isReusable, case .running(let exchange) = state, let shelf, watchOn() else {
                return end(with: .success(response))
            }
            state = .waiting
            deadline = .now() + shelf.limit
            reader = ResponseReader(bodyLimit: bodyLimit)
            if !shelf.add(connection) { stop() }
            exchange.answer(.success(response))
        }
    }

    private func goOn() {
        if !watchOn() { end(with: .failure(.closedEarly)) }
    }

    /// Has the socket watched, which must stay open from then on until it is ready; false if it cannot be.
    private func watchOn() -> Bool { watch.add(self) }

    private func endWaiting() {
        shelf?.remove(connection)
        state = .over
    }

    /// Ends what is under way; the socket, which nobody watches, is closed when nobody has the connection any more.
    private func end(with result: Result<UpstreamResponse, UpstreamError>) {
        guard case .running(let exchange) = state else { return endWaiting() }
        state = .over
        exchange.answer(result)
    }

    /// Ends what is under way, if anything is, with `error`; the socket is still watched, so it has to become readable before it
    /// can be closed.
    private func stop(with error: UpstreamError) {
        let before = state
        state = .over
        shutdown(descriptor, CInt(SHUT_RDWR))
        if case .running(let exchange) = before { exchange.answer(.failure(error)) }
    }
}
