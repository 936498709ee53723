import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPConnections

@Suite("Connections that have to go")
struct ExitHandlerTests {
    /// Says goodbye and waits for the other side's, as TLS does.
    private final class Polite: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "goodbye")), promise: nil)
        }
    }

    @Test("a goodbye is sent, and not waited for")
    func goodbye() throws {
        let exit = ExitHandler()
        let channel = EmbeddedChannel()
        try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.pipeline.syncOperations.addHandlers([exit, Polite()])
        channel.close(promise: nil)
        #expect(channel.isActive)
        exit.leave()
        #expect(!channel.isActive)
        #expect(try channel.readOutbound(as: ByteBuffer.self).map { String(buffer: $0) } == "goodbye")
        exit.leave()
    }
}
