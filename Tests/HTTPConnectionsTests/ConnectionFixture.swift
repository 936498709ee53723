import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import Synchronization

@testable import HTTPConnections

/// Answers as a small service would.
final class TestResponder: ExchangeResponder {
    struct Failure: Error {}

    /// What has happened.
    let asked = Atomic<Int>(0)
    let repeated = Atomic<Int>(0)
    /// Pieces of endless bodies that were taken.
    let pieces = Atomic<Int>(0)
    private let changes = Atomic<UInt64>(0)
    private let group = Mutex<ServiceGroup?>(nil)
    /// Told when an endless body has ended.
    let ends: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    init() { (ends, end) = AsyncStream.makeStream() }

    var contentVersion: UInt64? { changes.load(ordering: .acquiring) }

    func begin(_ request: HTTPRequest, on channel: any Channel, finish: @escaping (DirectAnswer) -> Void) -> Bool {
        guard request.method == .get else { return false }
        let answer = DirectAnswer(AnswerHead(.ok, [.cacheControl: "no-store"]), ByteBuffer(string: "direct\n"))
        switch request.path {
        case "/direct":
            finish(answer)
            return true
        case "/direct/later":
            channel.eventLoop.assumeIsolated().execute { finish(answer) }
            return true
        default: return false
        }
    }

    func hold(_ group: ServiceGroup) { self.group.withLock { $0 = group } }

    func answer(to request: Request, on channel: any Channel, logger: Logger) async -> ExchangeAnswer? {
        switch request.uri.path {
        case "/": return Self.text("hello")
        case "/later":
            await Task.yield()
            return Self.text("later")
        case "/large": return Self.text(String(repeating: "x", count: 5_000_000))
        case "/stop":
            await group.withLock { $0 }?.triggerGracefulShutdown()
            return Self.text("stopped")
        case "/echo":
            do { return Self.text(String(buffer: try await request.body.collect(upTo: 100))) } catch {
                return Self.text("too long", .contentTooLarge)
            }
        case "/number":
            let number = asked.add(1, ordering: .relaxed).newValue
            return ExchangeAnswer(Self.text("number \(number)").response) { _ in
                self.repeated.add(1, ordering: .relaxed)
            }
        case "/change":
            changes.add(1, ordering: .releasing)
            return Self.text("changed")
        case "/pieces":
            return Self.stream { writer in
                for piece in ["a", "", "bcdefghijklmnopqrstuvwxyz", "0"] {
                    try await writer.write(ByteBuffer(string: piece))
                }
            }
        case "/broken":
            return Self.stream { writer in
                try await writer.write(ByteBuffer(string: "abc"))
                throw Failure()
            }
        case "/endless":
            return Self.stream { [self] writer in
                defer { end.yield() }
                let piece = ByteBuffer(repeating: 0x78, count: 10_000)
                while true {
                    try await writer.write(piece)
                    pieces.add(1, ordering: .relaxed)
                }
            }
        case "/none": return nil
        default: return Self.text("\(request.uri.path) not found", .notFound)
        }
    }

    private static func text(_ text: String, _ status: HTTPResponse.Status = .ok) -> ExchangeAnswer {
        ExchangeAnswer(Response(status: status, body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n"))))
    }

    private static func stream(
        _ write: @escaping @Sendable @concurrent (inout any ResponseBodyWriter) async throws -> Void
    ) -> ExchangeAnswer {
        let body = ResponseBody { writer in
            try await write(&writer)
            try await writer.finish(nil)
        }
        return ExchangeAnswer(Response(status: .ok, body: body))
    }
}

/// A server on a port of its own, and clients that send bytes as they are.
struct TestServer: Sendable {
    let port: Int
    let responder: TestResponder

    /// Runs `body` with a server.
    static func with(idle: TimeAmount = .seconds(30), _ body: @Sendable @escaping (TestServer) async throws -> Void)
        async throws
    {
        let responder = TestResponder()
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 * 1024
        let setup = HTTPConnectionSetup(
            responder,
            HTTPConnectionSettings(idleTimeout: idle, limits: limits, bodyLimit: 64 * 1024, remembersRequests: true)
        ) { [SwitchHandler()] }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = Server(
            childChannelSetup: setup, configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let services = ServiceGroup(services: [server], logger: logger)
        responder.hold(services)
        async let end: Void = services.run()
        for await port in ports {
            try await body(TestServer(port: port, responder: responder))
            break
        }
        await services.triggerGracefulShutdown()
        try await end
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private var all = ByteBuffer()
        private let done: EventLoopPromise<String>
        /// Sent one after the other, each when the answer before is there: a text that ends with a line of its own.
        private var next: ArraySlice<String>

        init(_ done: EventLoopPromise<String>, next: [String]) {
            self.done = done
            self.next = next[...]
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            all.writeBuffer(&bytes)
            let end = all.readableBytesView.suffix(2)
            guard end.last == 0x0A, end.first != 0x0D, let text = next.popFirst() else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { done.succeed(String(buffer: all)) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// What comes back until the server closes the connection.
    ///
    /// - Parameters:
    ///   - next: further texts, each sent when the answer to the one before has come.
    ///   - endsInput: closes the client's half after the last byte.
    func answers(to text: String, then next: [String] = [], endsInput: Bool = false) async throws -> String {
        let done = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: String.self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(done, next: next))
                }
            }.connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(ByteBuffer(string: text))
        if endsInput { try await channel.close(mode: .output) }
        return try await done.futureResult.get()
    }
}

/// Speaks a protocol of its own from `/switch` on: after five idle times it says so and closes.
private final class SwitchHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer
    private var isSwitched = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data), head.uri == "/switch" {
            isSwitched = true
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "switched\n")), promise: nil)
            context.fireUserInboundEventTriggered(HTTPConnectionSwitched())
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(100)) {
                let (this, context) = bound.value
                context.writeAndFlush(this.wrapOutboundOut(ByteBuffer(string: "over\n"))).whenComplete { _ in
                    bound.value.1.close(promise: nil)
                }
            }
        } else if !isSwitched {
            context.fireChannelRead(data)
        }
    }
}
