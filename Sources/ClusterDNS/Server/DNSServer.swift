import NIOCore
package import NIOPosix
package import NetTypes
import Synchronization

#if canImport(Darwin)
import Darwin
#endif

/// The sockets of the cluster's name server, UDP and TCP.
package final class DNSServer: Sendable {
    /// Where it listens, with the ports that the system chose.
    package let endpoints: [SocketEndpoint]
    private let sockets: Sockets

    private init(endpoints: [SocketEndpoint], sockets: Sockets) {
        self.endpoints = endpoints
        self.sockets = sockets
    }

    /// Opens all sockets or none.
    package static func start(
        _ settings: DNSServerSettings, responder: Responder, group: MultiThreadedEventLoopGroup = .singleton
    ) async throws -> DNSServer {
        var sockets = Sockets()
        var endpoints: [SocketEndpoint] = []
        let connections = ConnectionCount(limit: settings.connectionLimit)
        do {
            for endpoint in settings.endpoints {
                let opened = try await open(endpoint, settings, responder, connections, group)
                sockets.append(opened.sockets)
                endpoints.append(opened.endpoint)
            }
        } catch {
            await sockets.close()
            throw error
        }
        return DNSServer(endpoints: endpoints, sockets: sockets)
    }

    /// Closes the sockets; open TCP connections end when they are idle.
    package func stop() async {
        await sockets.close()
    }

    private static func open(
        _ endpoint: SocketEndpoint, _ settings: DNSServerSettings, _ responder: Responder,
        _ connections: ConnectionCount, _ group: MultiThreadedEventLoopGroup
    ) async throws -> (endpoint: SocketEndpoint, sockets: Sockets) {
        // With port 0 somebody else may have the UDP port's number over TCP: then take another.
        var triesLeft = endpoint.port == 0 ? 20 : 1
        while true {
            var bound = endpoint
            var sockets = Sockets()
            do {
                for _ in 0..<max(1, settings.socketsPerEndpoint) {
                    bound.port = try await sockets.addDatagram(bound, responder, group)
                }
                sockets.channels.append(try await stream(bound, settings, responder, connections, group))
                return (bound, sockets)
            } catch {
                await sockets.close()
                triesLeft -= 1
                if triesLeft == 0 { throw error }
            }
        }
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

/// What a server has open.
private struct Sockets: Sendable {
    var channels: [any Channel] = []
    #if os(Linux)
    private var threads: [DatagramThread] = []
    #endif

    mutating func append(_ other: Sockets) {
        channels += other.channels
        #if os(Linux)
        threads += other.threads
        #endif
    }

    /// Stops taking queries and closes everything.
    func close() async {
        #if os(Linux)
        for thread in threads { thread.stop() }
        #endif
        for channel in channels { try? await channel.close() }
    }

    #if os(Linux)
    /// Opens a UDP socket with a thread of its own and says at which port.
    mutating func addDatagram(
        _ endpoint: SocketEndpoint, _ responder: Responder, _ group: MultiThreadedEventLoopGroup
    ) async throws -> UInt16 {
        let socket = try DatagramSocket(endpoint)
        do {
            threads.append(try DatagramThread(socket, responder, on: group.next()))
        } catch {
            socket.close()
            throw error
        }
        return socket.port
    }
    #else
    /// Opens a UDP socket and says at which port.
    mutating func addDatagram(
        _ endpoint: SocketEndpoint, _ responder: Responder, _ group: MultiThreadedEventLoopGroup
    ) async throws -> UInt16 {
        let channel = try await DatagramBootstrap(group: group)
            .channelOption(.socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: 1)
            .channelOption(.datagramVectorReadMessageCount, value: 32)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 32 * 4096))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramQueryHandler(responder))
                }
            }
            .bind(host: "\(endpoint.address)", port: Int(endpoint.port)).get()
        channels.append(channel)
        return UInt16(channel.localAddress?.port ?? 0)
    }
    #endif
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
