import NIOCore
import NIOHTTP1
package import NIOPosix
package import NetTypes
import Synchronization

/// A small HTTP server for health checks and metrics: GET and HEAD, answers that are made at once, nothing to upload.
///
/// At most ``connectionLimit`` connections are open, further ones are closed at once; one on which nothing happens for ten
/// seconds is closed.
package final class HealthServer: Sendable {
    /// Connections that are open at most.
    package static let connectionLimit = 128

    /// Answers a request for a path, without its query.
    package typealias Answer = @Sendable (_ path: String) async -> HealthReply

    /// Where it listens, with the port that the system chose.
    package let endpoint: SocketEndpoint
    private let channel: any Channel

    private init(endpoint: SocketEndpoint, channel: any Channel) {
        self.endpoint = endpoint
        self.channel = channel
    }

    /// Listens at `endpoint`; port 0 takes a free one.
    ///
    /// - Parameters:
    ///   - hostNames: names besides `localhost` under which the server may be addressed; addresses are always allowed, and
    ///     any other name is refused, so that no web page can read the answers by way of a name of its own. nil allows all.
    ///   - answer: called for each request; must not wait for long.
    /// - Throws: the system's error, when the endpoint cannot be had.
    package static func start(
        at endpoint: SocketEndpoint, hostNames: Set<String>? = [], group: MultiThreadedEventLoopGroup = .singleton,
        answer: @escaping Answer
    ) async throws -> HealthServer {
        let count = ConnectionCount()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                guard count.enter(limit: connectionLimit) else { return channel.close() }
                channel.closeFuture.whenComplete { _ in count.leave() }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(10)))
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(HealthRequestHandler(hostNames: hostNames, answer: answer))
                }
            }
            .bind(host: "\(endpoint.address)", port: Int(endpoint.port)).get()
        let port = UInt16(channel.localAddress?.port ?? Int(endpoint.port))
        return HealthServer(endpoint: SocketEndpoint(address: endpoint.address, port: port), channel: channel)
    }

    /// Stops listening; connections that are open end when they are idle.
    package func stop() async { try? await channel.close() }
}

/// How many connections are open.
private final class ConnectionCount: Sendable {
    private let open = Mutex(0)

    func enter(limit: Int) -> Bool {
        open.withLock { open in
            guard open < limit else { return false }
            open += 1
            return true
        }
    }

    func leave() { open.withLock { $0 -= 1 } }
}
