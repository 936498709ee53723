import NIOCore
package import NIOPosix
package import NetTypes
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The sockets of the cluster's name server, UDP and TCP.
package final class DNSServer: Sendable {
    /// Where it listens, with the ports that the system chose.
    package let endpoints: [SocketEndpoint]
    private let channels: [any Channel]

    private init(endpoints: [SocketEndpoint], channels: [any Channel]) {
        self.endpoints = endpoints
        self.channels = channels
    }

    /// Opens all sockets or none.
    package static func start(
        _ settings: DNSServerSettings, responder: Responder, group: MultiThreadedEventLoopGroup = .singleton
    ) async throws -> DNSServer {
        var channels: [any Channel] = []
        var endpoints: [SocketEndpoint] = []
        let connections = ConnectionCount(limit: settings.connectionLimit)
        do {
            for endpoint in settings.endpoints {
                let opened = try await open(endpoint, settings, responder, connections, group)
                channels += opened.channels
                endpoints.append(opened.endpoint)
            }
        } catch {
            for channel in channels { try? await channel.close() }
            throw error
        }
        return DNSServer(endpoints: endpoints, channels: channels)
    }

    /// Closes the sockets; open TCP connections end when they are idle.
    package func stop() async {
        for channel in channels { try? await channel.close() }
    }

    private static func open(
        _ endpoint: SocketEndpoint, _ settings: DNSServerSettings, _ responder: Responder,
        _ connections: ConnectionCount, _ group: MultiThreadedEventLoopGroup
    ) async throws -> (endpoint: SocketEndpoint, channels: [any Channel]) {
        // With port 0 somebody else may have the UDP port's number over TCP: then take another.
        var triesLeft = endpoint.port == 0 ? 20 : 1
        while true {
            var bound = endpoint
            var channels: [any Channel] = []
            do {
                for _ in 0..<max(1, settings.socketsPerEndpoint) {
                    let channel = try await datagram(bound, responder, group)
                    channels.append(channel)
                    bound.port = UInt16(channel.localAddress?.port ?? 0)
                }
                channels.append(try await stream(bound, settings, responder, connections, group))
                return (bound, channels)
            } catch {
                for channel in channels { try? await channel.close() }
                triesLeft -= 1
                if triesLeft == 0 { throw error }
            }
        }
    }

    private static func datagram(
        _ endpoint: SocketEndpoint, _ responder: Responder, _ group: MultiThreadedEventLoopGroup
    ) async throws -> any Channel {
        try await DatagramBootstrap(group: group)
            .channelOption(.socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: 1)
            .channelOption(.datagramVectorReadMessageCount, value: 32)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 32 * 4096))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramQueryHandler(responder))
                }
            }
            .bind(host: "\(endpoint.address)", port: Int(endpoint.port)).get()
    }

    private static func stream(
        _ endpoint: SocketEndpoint, _ settings: DNSServerSettings, _ responder: Responder,
        _ connections: ConnectionCount, _ group: MultiThreadedEventLoopGroup
    ) async throws -> any Channel {
        let idle = settings.idleTimeout
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                guard connections.enter() else { return channel.close() }
                channel.closeFuture.whenComplete { _ in connections.leave() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: idle))
                    try channel.pipeline.syncOperations.addHandler(StreamQueryHandler(responder))
                }
            }
            .bind(host: "\(endpoint.address)", port: Int(endpoint.port)).get()
    }
}

/// How many TCP connections are open.
private final class ConnectionCount: Sendable {
    private let limit: Int
    private let open = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// False when there are as many as there may be.
    func enter() -> Bool {
        open.withLock { open in
            guard open < limit else { return false }
            open += 1
            return true
        }
    }

    func leave() { open.withLock { $0 -= 1 } }
}
