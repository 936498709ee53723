import EventLoopTasks
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOHTTPTypes
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
        let http = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                CloseWithInput(), UpgradeHandler(store: responder.store, sessions: sessions),
            ], idleTimeout: .minutes(30),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 64 * 1024, maxHeaderListSize: 128 * 1024, maxHeaderFieldCount: 100))
        var quiet = Logger(label: "api") { _ in SwiftLogNoOpLogHandler() }
        quiet.logLevel = .critical
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let application = Application(
            responder: responder, server: try .tls(.http1(configuration: http), tlsConfiguration: tls),
            configuration: ApplicationConfiguration(
                address: .hostname(address, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(4096)),
            onServerRunning: { channel in onRunning(channel.localAddress?.port ?? port) },
            eventLoopGroupProvider: .shared(group), logger: quiet)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await withTaskExecutorPreference(LoopExecutor(group.next())) { try await application.run() })
        } catch {
            outcome = .failure(error)
        }
        try? await group.shutdownGracefully()
        try outcome.get()
    }
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
