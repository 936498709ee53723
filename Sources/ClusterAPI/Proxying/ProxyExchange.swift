import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One request to a program, and its whole answer.
enum ProxyExchange {
    /// Bytes of an answer that are passed on.
    static let largest = 16 << 20
    private static let patience = TimeAmount.seconds(60)

    struct Answer: Sendable {
        var head: HTTPResponseHead
        var body = ByteBuffer()
    }

    /// Why there is no answer.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func run(
        _ head: HTTPRequestHead, _ body: [UInt8], host: String, port: Int, isTLS: Bool, on loop: any EventLoop
    ) async throws -> Answer {
        let promise = loop.makePromise(of: Answer.self)
        let tls = isTLS ? try unverified() : nil
        let connecting = ClientBootstrap(group: loop).connectTimeout(.seconds(5)).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil)) }
                try pipeline.addHTTPClientHandlers()
                try pipeline.addHandler(ProxyAnswerCollector(promise))
            }
        }.connect(host: host, port: port)
        connecting.whenFailure { promise.fail($0) }
        let channel: any Channel
        do {
            channel = try await connecting.get()
        } catch {
            // The promise has failed with it.
            _ = try? await promise.futureResult.get()
            throw Failure(description: "dial tcp \(host):\(port): connect: connection refused")
        }
        let timer = loop.scheduleTask(in: patience) { promise.fail(Failure(description: "no answer in time")) }
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if !body.isEmpty {
            channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        defer {
            timer.cancel()
            channel.close(promise: nil)
        }
        return try await promise.futureResult.get()
    }

    /// Certificates of programs in pods are their own business, as with a real API server.
    private static func unverified() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        return try NIOSSLContext(configuration: configuration)
    }
}

/// Puts an answer together.
private final class ProxyAnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<ProxyExchange.Answer>
    private var answer: ProxyExchange.Answer?

    init(_ promise: EventLoopPromise<ProxyExchange.Answer>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            // What comes before the answer, such as 100, is none.
            if head.status.code >= 200 { answer = ProxyExchange.Answer(head: head) }
        case .body(var part):
            answer?.body.writeBuffer(&part)
            if answer?.body.readableBytes ?? 0 > ProxyExchange.largest {
                promise.fail(ProxyExchange.Failure(description: "the answer is too large"))
                context.close(promise: nil)
            }
        case .end:
            if let answer { promise.succeed(answer) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ProxyExchange.Failure(description: "EOF"))
        context.fireChannelInactive()
    }
}
