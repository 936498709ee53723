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
            let exchange = { @Sendable answer in
                UpstreamExchange(
                    request: request, authority: location.host, answer: answer, deadline: deadline, limit: limit)
            }
            if request.json == nil, let connection = idle.take(to: place, on: loop) {
                let result = await withCheckedContinuation { connection.run(exchange($0)) }
                // The server may close just now; then it has not seen the request, or a GET does no harm twice.
                guard result.isClosedByServer else { return try result.get() }
            }
            // Of the time that is left, each address gets an equal part to answer the dial.
            let left = deadline - .now()
            guard left > .zero else { throw index == 0 ? .timedOut(after: limit) : failure }
            let part = TimeAmount.nanoseconds(left.nanoseconds / Int64(location.addresses.count - index))
            let result = await withCheckedContinuation { answer in
                dial(place, within: part, on: loop).whenComplete { dialled in
                    switch dialled {
                    case .success(let connection): connection.run(exchange(answer))
                    case .failure(let error):
                        answer.resume(returning: .failure(Self.meaning(of: error, at: endpoint)))
                    }
                }
            }
            guard case .failure(.connect(let code, let endpoint)) = result else { return try result.get() }
            failure = .connect(code: code, endpoint)
        }
        throw failure
    }

    private func dial(
        _ place: UpstreamPlace, within time: TimeAmount, on loop: any EventLoop
    ) -> EventLoopFuture<UpstreamConnection> {
        if place.isSecure, tls == nil {
            return loop.makeFailedFuture(UpstreamError.insecure("no trust is configured"))
        }
        let tls = place.isSecure ? tls : nil
        let shelf = keepsAlive ? UpstreamConnectionHandler.Shelf(connections: idle, place: place) : nil
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
        return dial(place.endpoint, within: time, by: bootstrap, on: loop).flatMapThrowing { channel in
            let pipeline = channel.pipeline.syncOperations
            return UpstreamConnection(channel, try pipeline.handler(type: UpstreamConnectionHandler.self))
        }
    }

    private func dial(
        _ endpoint: SocketEndpoint, within time: TimeAmount, by bootstrap: ClientBootstrap, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        let address: SocketAddress
        do {
            address = try SocketAddress(ipAddress: endpoint.address.description, port: Int(endpoint.port))
        } catch {
            return loop.makeFailedFuture(error)
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
        case let error as IOError: .connect(code: name(ofErrno: error.errnoCode), endpoint)
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

extension Result<UpstreamResponse, UpstreamError> {
    /// Whether the connection ended before the answer did.
    fileprivate var isClosedByServer: Bool {
        switch self {
        case .failure(.closedEarly), .failure(.reset): true
        default: false
        }
    }
}
