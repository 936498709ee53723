import NIOCore
import NIOPosix
package import NIOSSL
import NetTypes
package import ServiceDiscovery

/// An HTTP/1.1 client as small as the front end needs: one request, one answer of bounded size, a hard time limit.
///
/// Each request dials afresh, so that the service proxy balances each; with `keepsAlive` connections are used again.
package final class HTTPUpstreamClient: UpstreamClient {
    private let keepsAlive: Bool
    private let bodyLimit: Int
    private let tls: NIOSSLContext?
    private let idle = IdleConnections()
    private let group = MultiThreadedEventLoopGroup.singleton

    /// - Parameters:
    ///   - keepsAlive: whether connections are used again.
    ///   - bodyLimit: the longest acceptable body, in bytes.
    ///   - tls: whom to trust for https; nil refuses https.
    package init(keepsAlive: Bool = false, bodyLimit: Int = 64 * 1024, tls: NIOSSLContext? = nil) {
        self.keepsAlive = keepsAlive
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
        let deadline = NIODeadline.now() + TimeAmount(limit)
        var failure = UpstreamError.undiallable("\(location.host) has no address")
        // Without TLS nobody asks for the name.
        let hostName = location.isSecure ? location.hostName : ""
        for (index, endpoint) in location.addresses.enumerated() {
            let place = UpstreamPlace(endpoint: endpoint, hostName: hostName, isSecure: location.isSecure)
            let loop = group.any()
            let exchange = { @Sendable (loop: any EventLoop) in
                UpstreamExchange(
                    request: request, authority: location.host, response: loop.makePromise(), deadline: deadline,
                    limit: limit)
            }
            if request.json == nil, let channel = idle.take(to: place, on: loop) {
                // The server may close just now; then it has not seen the request, or a GET does no harm twice.
                do { return try await run(exchange(channel.eventLoop), over: channel).get() } catch {
                    guard let error = error as? UpstreamError, error == .closedEarly || error == .reset else {
                        throw meaning(of: error, at: endpoint)
                    }
                }
            }
            // Of the time that is left, each address gets an equal part to answer the dial.
            let left = deadline - .now()
            guard left > .zero else { throw index == 0 ? .timedOut(after: limit) : failure }
            let part = TimeAmount.nanoseconds(left.nanoseconds / Int64(location.addresses.count - index))
            do {
                let dial = try dial(place, within: part, on: loop)
                return try await dial.flatMap { channel in
                    self.run(exchange(channel.eventLoop), over: channel)
                }.get()
            } catch {
                failure = meaning(of: error, at: endpoint)
                guard case .connect = failure else { throw failure }
            }
        }
        throw failure
    }

    private func run(_ exchange: UpstreamExchange, over channel: any Channel) -> EventLoopFuture<UpstreamResponse> {
        let written = channel.eventLoop.makePromise(of: Void.self)
        // The handler keeps the promise; when the channel is closed there may be no handler any more.
        written.futureResult.whenFailure { _ in exchange.response.fail(UpstreamError.closedEarly) }
        channel.writeAndFlush(exchange, promise: written)
        return exchange.response.futureResult
    }

    private func dial(
        _ place: UpstreamPlace, within time: TimeAmount, on loop: any EventLoop
    ) throws -> EventLoopFuture<any Channel> {
        if place.isSecure, tls == nil { throw UpstreamError.insecure("no trust is configured") }
        let tls = place.isSecure ? tls : nil
        let shelf = keepsAlive ? UpstreamConnectionHandler.Shelf(connections: idle, place: place) : nil
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
        let address = try SocketAddress(
            ipAddress: place.endpoint.address.description, port: Int(place.endpoint.port))
        switch LoopbackDial.dial(place.endpoint, at: address) {
        case .connected(let descriptor): return bootstrap.withConnectedSocket(descriptor)
        case .refused(let code): throw IOError(errnoCode: code, reason: "connect")
        case .unknown:
            return bootstrap.connectTimeout(time).channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(to: address)
        }
    }

    private func meaning(of error: any Error, at endpoint: SocketEndpoint) -> UpstreamError {
        switch error {
        case let error as UpstreamError: error
        case ChannelError.connectTimeout: .connect(code: "ETIMEDOUT", endpoint)
        case let error as IOError: .connect(code: Self.name(ofErrno: error.errnoCode), endpoint)
        default: .undiallable("connect \(endpoint): \(error)")
        }
    }

    private static func name(ofErrno code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "ECONNREFUSED"
        case ECONNRESET: "ECONNRESET"
        case EHOSTUNREACH: "EHOSTUNREACH"
        case ENETUNREACH: "ENETUNREACH"
        case EADDRNOTAVAIL: "EADDRNOTAVAIL"
        case ETIMEDOUT: "ETIMEDOUT"
        case EACCES: "EACCES"
        case EPERM: "EPERM"
        case EMFILE: "EMFILE"
        default: "errno \(code)"
        }
    }
}
