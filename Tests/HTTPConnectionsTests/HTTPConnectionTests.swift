import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

@testable import HTTPConnections

/// Answers as a small service would.
private final class TestResponder: ExchangeResponder {
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
private struct TestServer: Sendable {
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

@Suite("HTTP/1.1 connections, over real sockets")
struct HTTPConnectionTests {
    private static func bodies(_ answers: String) -> [String] {
        answers.components(separatedBy: "HTTP/1.1 ").dropFirst().map { answer in
            let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            return "\(answer.prefix(3)) \(parts.last ?? "")"
        }
    }

    @Test("an answer has its length and the date")
    func one() async throws {
        try await TestServer.with { server in
            let answer = try await server.answers(to: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let lines = Set(answer.lowercased().components(separatedBy: "\r\n"))
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.hasSuffix("\r\n\r\nhello\n"))
            #expect(lines.isSuperset(of: ["content-length: 6", "connection: close"]))
            #expect(lines.contains { $0.hasPrefix("date: ") && $0.hasSuffix(" gmt") })
        }
    }

    @Test("requests that come at once are answered in order, those that wait too")
    func pipelining() async throws {
        try await TestServer.with { server in
            let some = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n"
            let last = "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            let answers = try await server.answers(to: some + some + last)
            let expected = ["200 hello\n", "200 later\n", "200 hello\n", "200 later\n", "404 /nowhere not found\n"]
            #expect(Self.bodies(answers) == expected)
        }
    }

    @Test("answers that need no task come in order among those that do, however many are asked for at once")
    func direct() async throws {
        let some = ["direct", "direct/later", "later", "direct", "", "direct/later"]
        let requests = some.map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        let last = "GET /direct HTTP/1.0\r\n\r\n"
        try await TestServer.with { server in
            let answers = try await server.answers(to: String(repeating: requests, count: 1000) + last)
            let expected = ["direct", "direct", "later", "direct", "hello", "direct"].map { "200 \($0)\n" }
            #expect(Self.bodies(answers) == Array(repeatElement(expected, count: 1000).joined()) + ["200 direct\n"])
            let repeated = try await server.answers(
                to: "GET /direct HTTP/1.1\r\n\r\n",
                then: ["GET /direct HTTP/1.1\r\n\r\n", "HEAD /direct HTTP/1.1\r\nConnection: close\r\n\r\n"])
            #expect(Self.bodies(repeated) == ["200 direct\n", "200 direct\n", "404 "])
            #expect(repeated.hasPrefix("HTTP/1.1 200 OK\r\nCache-Control: no-store\r\ncontent-length: 7\r\ndate: "))
        }
    }

    @Test("an answer that does not fit into the kernel's buffers arrives as a whole, also the last one")
    func large() async throws {
        try await TestServer.with { server in
            let request = "GET /large HTTP/1.1\r\nHost: a\r\n"
            let answers = try await server.answers(to: request + "\r\n" + request + "Connection: close\r\n\r\n")
            #expect(Self.bodies(answers).map(\.count) == [5_000_005, 5_000_005])
        }
    }

    @Test("bodies, by length and in chunks; one that is too long is refused and the next request is answered")
    func requestBodies() async throws {
        let long = String(repeating: "x", count: 300_000)
        try await TestServer.with { server in
            let answers = try await server.answers(
                to: "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                    + "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"
                    + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(long.count)\r\n\r\n\(long)"
                    + "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(Self.bodies(answers) == ["200 abc\n", "200 def\n", "413 too long\n", "200 "])
            #expect(answers.contains("ontent-length: 6\r\n") || answers.contains("ontent-Length: 6\r\n"))
        }
    }

    @Test(
        "what is no HTTP is refused, and the connection ends",
        arguments: [
            "nonsense\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nbad header\r\n\r\n",
            "GET / HTTP/1.1\r\na: \(String(repeating: "x", count: 20_000))\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ])
    func nonsense(_ text: String) async throws {
        try await TestServer.with { server in
            let answer = try await server.answers(to: text)
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        }
    }

    @Test("what was asked for before nonsense is answered")
    func nonsenseBehind() async throws {
        try await TestServer.with { server in
            let answers = try await server.answers(to: "GET /later HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n")
            #expect(Self.bodies(answers).first == "200 later\n")
        }
    }

    @Test("HTTP/1.0, and a client that sends no more: answered, then closed")
    func endings() async throws {
        try await TestServer.with { server in
            #expect(Self.bodies(try await server.answers(to: "GET / HTTP/1.0\r\n\r\n")) == ["200 hello\n"])
            let answers = try await server.answers(to: "GET /later HTTP/1.1\r\nHost: a\r\n\r\n", endsInput: true)
            #expect(Self.bodies(answers) == ["200 later\n"])
            #expect(try await server.answers(to: "", endsInput: true) == "")
        }
    }

    @Test("a client that sends nothing, or half a request, is left after the idle time", arguments: ["", "GET / HT"])
    func idle(_ text: String) async throws {
        try await TestServer.with(idle: .milliseconds(20)) { server in
            let answer = try await server.answers(to: text)
            #expect(answer.isEmpty)
        }
    }

    @Test("a request that is repeated gets the same answer while it lasts, and is counted")
    func repetition() async throws {
        let number = "GET /number HTTP/1.1\r\nHost: a\r\n\r\n"
        let change = "GET /change HTTP/1.1\r\nHost: a\r\n\r\n"
        let last = "GET /number HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        try await TestServer.with { server in
            let answers = try await server.answers(
                to: number, then: [number, number, change, number, number, change, change, last])
            let expected = [
                "200 number 1\n", "200 number 1\n", "200 number 1\n", "200 changed\n", "200 number 2\n",
                "200 number 2\n", "200 changed\n", "200 changed\n", "200 number 3\n",
            ]
            #expect(Self.bodies(answers) == expected)
            #expect(server.responder.asked.load(ordering: .relaxed) == 3)
            #expect(server.responder.repeated.load(ordering: .relaxed) == 3)
        }
    }

    @Test("repeated requests that come in pieces, at once, or with a body are read as ever")
    func nearRepetition() async throws {
        let number = "GET /number HTTP/1.1\r\nHost: a\r\n\r\n"
        let last = "GET /number HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        try await TestServer.with { server in
            let twice = try await server.answers(to: number, then: [number, number + number, last])
            #expect(Self.bodies(twice).map { String($0.dropFirst(4)) } == [1, 1, 2, 3, 4].map { "number \($0)\n" })
            let body = "GET /number HTTP/1.1\r\nContent-Length: \(number.utf8.count)\r\n\r\n"
            let hidden = try await server.answers(to: number, then: [body + number, last])
            #expect(Self.bodies(hidden).map { String($0.dropFirst(4)) } == [5, 6, 7].map { "number \($0)\n" })
        }
    }

    @Test("a stop lets the answer under way end, and closes connections that wait")
    func stop() async throws {
        try await TestServer.with { server in
            async let waiting = server.answers(to: "GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
            let stopped = try await server.answers(to: "GET /stop HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(Self.bodies(stopped) == ["200 stopped\n"])
            _ = try await waiting
        }
    }

    @Test("a body of unknown length comes in chunks, and the connection goes on")
    func chunks() async throws {
        try await TestServer.with { server in
            let answers = try await server.answers(
                to: "GET /pieces HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let chunks = "1\r\na\r\n19\r\nbcdefghijklmnopqrstuvwxyz\r\n1\r\n0\r\n0\r\n\r\n"
            #expect(Self.bodies(answers) == ["200 \(chunks)", "200 hello\n"])
            #expect(answers.contains("transfer-encoding: chunked\r\n"))
        }
    }

    @Test("a client of HTTP/1.0 gets it plain, up to the connection's end, also if it wanted to keep that")
    func plainStream() async throws {
        try await TestServer.with { server in
            for fields in ["", "Connection: keep-alive\r\n"] {
                let answer = try await server.answers(to: "GET /pieces HTTP/1.0\r\n\(fields)\r\n")
                #expect(Self.bodies(answer) == ["200 abcdefghijklmnopqrstuvwxyz0"])
                #expect(!answer.contains("chunked"))
            }
        }
    }

    @Test(
        "HEAD gets the fields and no body, whether the length is known or not", arguments: ["/", "/pieces", "/large"])
    func heads(_ path: String) async throws {
        try await TestServer.with { server in
            let answers = try await server.answers(
                to: "HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(Self.bodies(answers) == ["200 ", "200 hello\n"])
        }
    }

    @Test("a body that fails on the way has no end: the client sees that something is missing")
    func brokenStream() async throws {
        try await TestServer.with { server in
            let answer = try await server.answers(to: "GET /broken HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(!answer.hasSuffix("0\r\n\r\n"))
        }
    }

    @Test("what is no request is refused, and the connection goes on")
    func noRequest() async throws {
        try await TestServer.with { server in
            let answers = try await server.answers(
                to: "GET /none HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(Self.bodies(answers) == ["400 ", "200 hello\n"])
        }
    }

    @Test("a client that does not read holds back an endless body, and is left after the idle time")
    func slowReader() async throws {
        try await TestServer.with(idle: .milliseconds(100)) { server in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.autoRead, value: false).connect(host: "127.0.0.1", port: server.port).get()
            try await channel.writeAndFlush(ByteBuffer(string: "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"))
            for await _ in server.responder.ends { break }
            // What the kernel takes on loopback is some megabytes; without bounds it would be all memory.
            #expect(server.responder.pieces.load(ordering: .relaxed) < 10_000)
            try? await channel.close()
        }
    }

    @Test("a client that leaves ends an endless body")
    func leaving() async throws {
        try await TestServer.with { server in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: server.port).get()
            try await channel.writeAndFlush(ByteBuffer(string: "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"))
            try await channel.close()
            for await _ in server.responder.ends { break }
        }
    }

    @Test("a connection that speaks another protocol has no idle time and no more requests")
    func switched() async throws {
        try await TestServer.with(idle: .milliseconds(20)) { server in
            let answer = try await server.answers(
                to: "GET /switch HTTP/1.1\r\nHost: a\r\n\r\n", then: ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
            #expect(answer == "switched\nover\n")
        }
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
