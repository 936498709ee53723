import DNSClient
import Glibc
import NIOCore
import NetTypes

/// One request and its answer over a connection of their own to an address of this machine, without a channel.
///
/// Belongs to the event loop of its watch.
final class LoopbackExchange {
    /// How an exchange begins.
    enum Start {
        case begun
        /// The name of the error number.
        case refused(String)
        /// Nothing was sent; to be done over a channel.
        case impossible
    }

    /// The most that a new connection takes for certain at once, in octets.
    private static let longestRequest = 8192
    /// Octets that are read at once.
    private static let piece = 16 * 1024

    let descriptor: CInt
    var deadline: NIODeadline { exchange.deadline }
    private let exchange: UpstreamExchange
    private let watch: SocketWatch
    private var reader: ResponseReader
    private var isAnswered = false

    /// Dials, sends and waits, if that can be done without a channel; to be called on `loop`.
    ///
    /// - Parameter bodyLimit: the longest acceptable body, in octets.
    static func begin(
        _ exchange: UpstreamExchange, at endpoint: SocketEndpoint, on loop: any EventLoop, bodyLimit: Int
    ) -> Start {
        guard endpoint.address.isLoopback, exchange.request.readableBytes <= longestRequest,
            let address = SocketAddress(endpoint), let watch = SocketWatch.of(loop), watch.hasRoom
        else { return .impossible }
        switch LoopbackDial.dial(endpoint, at: address, sending: exchange.request) {
        case .connected(let descriptor):
            LoopbackExchange(exchange, over: descriptor, watch, bodyLimit: bodyLimit).wait()
            return .begun
        case .refused(ECONNRESET), .refused(EPIPE):
            // Connected, and left before the request was there.
            exchange.answer(.failure(.reset))
            return .begun
        case .refused(let code): return .refused(UpstreamError.name(ofErrno: code))
        case .unknown: return .impossible
        }
    }

    private init(_ exchange: UpstreamExchange, over descriptor: CInt, _ watch: SocketWatch, bodyLimit: Int) {
        self.exchange = exchange
        self.descriptor = descriptor
        self.watch = watch
        reader = ResponseReader(bodyLimit: bodyLimit)
    }

    deinit { close(descriptor) }

    private func wait() {
        if !watch.add(self) { answer(.failure(.undiallable("no socket can be watched: \(errno)"))) }
    }

    /// The socket can be read, or is at its end, and is watched no longer.
    func becameReadable() {
        guard !isAnswered else { return }
        var failure: CInt = 0
        watch.buffer.clear()
        let count = watch.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.piece) { bytes in
            let count = recv(descriptor, bytes.baseAddress, bytes.count, 0)
            if count < 0 { failure = errno }
            return max(count, 0)
        }
        switch (count, failure) {
        case (0, EAGAIN), (0, EINTR): wait()
        case (0, ECONNRESET), (0, EPIPE): answer(.failure(.reset))
        case (0, 0): perform(reader.end())
        case (0, _): answer(.failure(.closedEarly))
        default: perform(reader.receive(watch.buffer))
        }
    }

    /// The deadline has passed; the socket is still watched, so it must stay open.
    func expire() {
        answer(.failure(.timedOut(after: exchange.limit)))
        // Now the socket becomes readable, and can be closed.
        shutdown(descriptor, CInt(SHUT_RDWR))
    }

    /// Nobody watches the socket any more.
    func abandon() { answer(.failure(.closedEarly)) }

    private func perform(_ action: ResponseReader.Action) {
        switch action {
        case .wait: wait()
        case .finish(let response, _): answer(.success(response))
        case .fail(let error): answer(.failure(error))
        }
    }

    private func answer(_ result: Result<UpstreamResponse, UpstreamError>) {
        guard !isAnswered else { return }
        isAnswered = true
        exchange.answer(result)
    }
}
