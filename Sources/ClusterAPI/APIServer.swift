import HTTPConnections
import HTTPTypes
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL

/// The HTTPS server of the API.
package enum APIServer {
    /// Serves `responder` until the task is cancelled.
    ///
    /// One thread of its own does everything but long lists.
    ///
    /// - Parameters:
    ///   - address: an address of this machine.
    ///   - port: 0 takes a free one.
    ///   - sessions: opens sessions with programs in pods.
    ///   - tls: the server's certificate, and whom clients have to be certified by.
    ///   - onRunning: told the port.
    package static func run(
        _ responder: APIResponder, sessions: any PodSessions, address: String, port: Int, tls: TLSConfiguration,
        onRunning: @escaping @Sendable (Int) -> Void
    ) async throws {
        var tls = tls
        // Offered h2, kubectl would take it; and then a watch is a stream among others.
        tls.applicationProtocols = ["http/1.1"]
        let connections = HTTPConnectionSetup(responder, .api) {
            [CloseWithInput(), UpgradeHandler(store: responder.store, sessions: sessions)]
        }
        var quiet = Logger(label: "api") { _ in SwiftLogNoOpLogHandler() }
        quiet.logLevel = .critical
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = Server(
            childChannelSetup: try TLSChannel(connections, tlsConfiguration: tls),
            configuration: ServerConfiguration(
                address: .hostname(address, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(4096)),
            onServerRunning: { channel in onRunning(channel.localAddress?.port ?? port) },
            eventLoopGroup: group, logger: quiet)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await server.run())
        } catch {
            outcome = .failure(error)
        }
        try? await group.shutdownGracefully()
        try outcome.get()
    }
}

extension HTTPConnectionSettings {
    /// What the API's clients may do: more than the suite's services grant, for objects are large and watches long.
    fileprivate static let api = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 64 * 1024
        limits.maxHeaderListSize = 128 * 1024
        limits.maxHeaderFieldCount = 100
        // Clients ask for one thing after the other, not for the same again and again.
        return HTTPConnectionSettings(
            idleTimeout: .minutes(30), limits: limits, bodyLimit: BodyReader.largest, remembersRequests: false)
    }()
}

/// Closes a connection whose client has closed its side: clients of the API never half-close, and an idle watch would not
/// notice otherwise.
private final class CloseWithInput: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}
