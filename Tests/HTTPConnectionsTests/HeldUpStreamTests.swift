import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPConnections

@Suite("Streamed bodies whose client does not read")
struct HeldUpStreamTests {
    @Test(
        "a client that leaves while nobody writes is noticed by the next piece, which does not wait for it",
        .timeLimit(.minutes(1)))
    func leaving() async throws {
        let handler = try Self.left()
        await #expect(throws: ChannelError.self) { try await handler.send(ByteBuffer(string: "a")) }
    }

    /// Of a connection that ended in the middle of a body, of which the client had not taken everything.
    private static func left() throws -> HTTPConnectionHandler {
        let handler = HTTPConnectionHandler(idleTimeout: .seconds(30), bodyLimit: 0)
        let channel = EmbeddedChannel(handler: handler)
        try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(HTTPServerRequestPart.head(HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")))
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        let exchange = ExchangeQueue.Exchange(request: nil, body: ByteBuffer(), isLast: false)
        handler.begin(ResponseBytes.head(of: Response(status: .ok, body: ResponseBody { _ in }), to: exchange))
        // What the kernel takes no more of: the head leaves with the loop's next turn, when nobody is writing.
        channel.isWritable = false
        channel.embeddedEventLoop.run()
        #expect(!handler.isAtRest)
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
        return handler
    }
}
