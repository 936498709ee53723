import DNSWire
package import NIOCore
import NIOPosix
package import NetTypes

/// One DNS query to one server, and the reply to it, over UDP or TCP.
///
/// It knows sockets and time, and nothing of retries, caches and other servers: those belong to its callers.
/// Each query has a socket of its own, so that its source port is as hard to guess as the kernel makes it, and the
/// socket is closed when the future completes, whichever way it does.
package enum DNSExchange {
    /// How a query travels.
    package enum Transport: Hashable, Sendable { case udp, tcp }

    /// Sends `query` to `server` and completes with the first reply that belongs to it.
    ///
    /// A reply belongs to the query when it comes from that server, has its id, and repeats its question in any letter
    /// case; a reply with an error code may leave the question out. Everything else is ignored until `timeout`.
    /// The future fails with ``ExchangeError``. The query has to be a message with one uncompressed question.
    package static func send(
        _ query: [UInt8], to server: SocketEndpoint, over transport: Transport, timeout: TimeAmount,
        on loop: any EventLoop
    ) -> EventLoopFuture<[UInt8]> {
        let promise = loop.makePromise(of: [UInt8].self)
        guard let key = ReplyKey(query: query), let remote = SocketAddress(server) else {
            promise.fail(ExchangeError.unusableQuery)
            return promise.futureResult
        }
        let connected: EventLoopFuture<any Channel>
        switch transport {
        case .udp:
            connected = DatagramBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            DatagramReplyHandler(query: query, key: key, promise: promise))
                    }
                }
                .connect(to: remote)
        case .tcp:
            connected = ClientBootstrap(group: loop)
                .connectTimeout(timeout)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            StreamReplyHandler(query: query, key: key, promise: promise))
                    }
                }
                .connect(to: remote)
        }
        connected.whenFailure { promise.fail(ExchangeError($0)) }
        let timer = loop.scheduleTask(in: timeout) { promise.fail(ExchangeError.timeout) }
        promise.futureResult.whenComplete { _ in
            timer.cancel()
            connected.whenSuccess { $0.close(promise: nil) }
        }
        return promise.futureResult
    }
}

extension SocketAddress {
    /// The same address in NIO's words; nil only where the platform has no such family.
    package init?(_ endpoint: SocketEndpoint) {
        let bytes = ByteBuffer(bytes: endpoint.address.octets)
        guard let address = try? SocketAddress(packedIPAddress: bytes, port: Int(endpoint.port)) else { return nil }
        self = address
    }
}
