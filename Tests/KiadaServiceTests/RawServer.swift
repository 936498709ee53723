import NIOCore
import NIOPosix
import NetTypes
import Synchronization
import Testing

/// A server that answers every request with the same bytes, whatever they are.
final class RawServer: Sendable {
    private let channel: any Channel
    let endpoint: SocketEndpoint
    let connections = Mutex(0)

    /// - Parameters:
    ///   - answer: nil never answers.
    ///   - closes: closes the connection after the answer.
    init(_ answer: String?, closes: Bool) async throws {
        let box = Box()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                box.server.withLock { $0 }?.connections.withLock { $0 += 1 }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answerer(answer, closes: closes))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        endpoint = SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: UInt16(port))
        box.server.withLock { $0 = self }
    }

    func stop() async throws { try await channel.close() }

    private final class Box: Sendable {
        let server = Mutex<RawServer?>(nil)
    }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: String?
        private let closes: Bool

        init(_ answer: String?, closes: Bool) {
            self.answer = answer
            self.closes = closes
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard let answer else { return }
            let promise = closes ? context.eventLoop.makePromise(of: Void.self) : nil
            let channel = context.channel
            promise?.futureResult.whenComplete { _ in channel.close(promise: nil) }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: promise)
        }
    }
}
