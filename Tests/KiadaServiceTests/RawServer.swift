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
    /// An element for each connection that has ended.
    let ends: AsyncStream<Void>
    private let children = Mutex<[any Channel]>([])

    /// - Parameters:
    ///   - answer: nil never answers.
    ///   - closes: closes the connection after the answer.
    init(_ answer: String?, closes: Bool) async throws {
        let box = Box()
        let ended: AsyncStream<Void>.Continuation
        (ends, ended) = AsyncStream.makeStream()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let server = box.server.withLock { $0 }
                server?.connections.withLock { $0 += 1 }
                server?.children.withLock { $0.append(channel) }
                channel.closeFuture.whenComplete { _ in ended.yield() }
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

    /// Sends something that nobody has asked for over all connections.
    func say(_ text: String) async throws {
        for child in children.withLock({ $0 }) { try await child.writeAndFlush(ByteBuffer(string: text)) }
    }

    private final class Box: Sendable {
        let server = Mutex<RawServer?>(nil)
    }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: String?
        private let closes: Bool
        /// What has come of the request.
        private var request = ByteBuffer()

        init(_ answer: String?, closes: Bool) {
            self.answer = answer
            self.closes = closes
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            request.writeBuffer(&bytes)
            guard let answer, request.readableBytesView.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return }
            request.clear()
            let promise = closes ? context.eventLoop.makePromise(of: Void.self) : nil
            let channel = context.channel
            promise?.futureResult.whenComplete { _ in channel.close(promise: nil) }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: promise)
        }
    }
}
