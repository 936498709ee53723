import DNSClient
package import NIOCore
import NIOPosix
package import NIOSSL
import NetTypes
package import ServiceDiscovery

/// An HTTP/1.1 client as small as the front end needs: one request, one answer of bounded size, a hard time limit.
///
/// Each request dials afresh, so that the service proxy balances each; with `keepsAlive` connections are used again.
package final class HTTPUpstreamClient: CallbackUpstreamClient {
    private let keepsAlive: Bool
    private let bodyLimit: Int
    private let tls: NIOSSLContext?
    private let idle: IdleConnections
    private let group = MultiThreadedEventLoopGroup.singleton

    /// - Parameters:
    ///   - keepsAlive: whether connections are used again.
    ///   - bodyLimit: the longest acceptable body, in bytes.
    ///   - waitLimit: how long a connection waits to be used again; servers close after 5 s or more, and a request that meets
    ///     a closing connection has to be repeated.
    ///   - tls: whom to trust for https; nil refuses https.
    package init(
        keepsAlive: Bool = false, bodyLimit: Int = 64 * 1024, waitLimit: TimeAmount = .seconds(4),
        tls: NIOSSLContext? = nil
    ) {
        self.keepsAlive = keepsAlive
        idle = IdleConnections(limit: waitLimit)
        self.bodyLimit = bodyLimit
        self.tls = tls
    }

    deinit { idle.closeAll() }

    /// The trust of https connections: `authorities` (a PEM file) alone, or the system's without one.
    package static func trust(authorities: String?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let authorities {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authorities))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    package func response(
        to request: UpstreamRequest, at location: DiscoveredService, limit: Duration
    ) async throws(UpstreamError) -> UpstreamResponse {
        let loop = group.any()
        let request = prepared(request, at: location)
        return try await withCheckedContinuation { continuation in
            if loop.inEventLoop {
                ask(request, limit: limit, on: loop) { continuation.resume(returning: $0) }
            } else {
                loop.execute { [self] in ask(request, limit: limit, on: loop) { continuation.resume(returning: $0) } }
            }
        }.get()
    }

    package func prepared(_ request: UpstreamRequest, at location: DiscoveredService) -> PreparedRequest {
        PreparedRequest(request, at: location, keepsAlive: keepsAlive)
    }

    package func ask(
        _ request: PreparedRequest, limit: Duration, on loop: any EventLoop,
        answer: @escaping (Result<UpstreamResponse, UpstreamError>) -> Void
    ) {
        UpstreamCall(self, request, limit: limit, on: loop, answer: answer).goOn()
    }

    // MARK: For calls

    /// A connection that may serve a request to `place`, perhaps on another loop than `loop`; it is the caller's.
    func waitingConnection(to place: UpstreamPlace, on loop: any EventLoop) -> UpstreamConnection? {
        keepsAlive ? idle.take(to: place, on: loop) : nil
    }

    /// Begins an exchange over a new connection, if it is one that needs no channel; to be called on `loop`.
    func begin(_ exchange: UpstreamExchange, at place: UpstreamPlace, on loop: any EventLoop)
        -> LoopbackConnection.Start
    {
        guard !place.isSecure else { return .impossible }
        return LoopbackConnection.begin(
            exchange, at: place.endpoint, on: loop, bodyLimit: bodyLimit, shelf: shelf(for: place))
    }

    /// Where connections to `place` wait; nil: they serve one exchange.
    private func shelf(for place: UpstreamPlace) -> UpstreamShelf? {
        keepsAlive ? UpstreamShelf(idle, place) : nil
    }

    /// Connects on `loop`, and tells the outcome there, maybe at once.
    func dial(
        _ place: UpstreamPlace, within time: TimeAmount, on loop: any EventLoop,
        outcome: @escaping @Sendable (Result<UpstreamConnection, UpstreamError>) -> Void
    ) {
        if place.isSecure, tls == nil { return outcome(.failure(.insecure("no trust is configured"))) }
        let tls = place.isSecure ? tls : nil
        let shelf = shelf(for: place)
        // Sets TCP_NODELAY by itself.
        let bootstrap = ClientBootstrap(group: loop)
            .channelInitializer { [bodyLimit] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        let name = IPAddress(place.hostName) == nil ? place.hostName : nil
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
                    }
                    try pipeline.addHandler(UpstreamConnectionHandler(bodyLimit: bodyLimit, shelf: shelf))
                }
            }
        dial(place.endpoint, within: time, by: bootstrap, on: loop).whenComplete { result in
            outcome(
                Result { () throws in
                    let channel = try result.get()
                    let pipeline = channel.pipeline.syncOperations
                    return UpstreamConnection(channel, try pipeline.handler(type: UpstreamConnectionHandler.self))
                }.mapError { Self.meaning(of: $0, at: place.endpoint) })
        }
    }

    private func dial(
        _ endpoint: SocketEndpoint, within time: TimeAmount, by bootstrap: ClientBootstrap, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        guard let address = SocketAddress(endpoint) else {
            return loop.makeFailedFuture(UpstreamError.undiallable("connect \(endpoint)"))
        }
        switch LoopbackDial.dial(endpoint, at: address) {
        case .connected(let descriptor): return bootstrap.withConnectedSocket(descriptor)
        case .refused(let code): return loop.makeFailedFuture(IOError(errnoCode: code, reason: "connect"))
        case .unknown: return bootstrap.connectTimeout(time).connect(to: address)
        }
    }

    private static func meaning(of error: any Error, at endpoint: SocketEndpoint) -> UpstreamError {
        switch error {
        case let error as UpstreamError: error
        case ChannelError.connectTimeout: .connect(code: "ETIMEDOUT", endpoint)
        case let error as IOError: .connect(code: UpstreamError.name(ofErrno: error.errnoCode), endpoint)
        default: .undiallable("connect \(endpoint): \(error)")
        }
    }
}
