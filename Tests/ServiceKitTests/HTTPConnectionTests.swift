import FoundationEssentials
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

@testable import ServiceKit

/// The server that a route of its own stops.
private final class Holder: Sendable {
    private let group = Mutex<ServiceGroup?>(nil)

    func hold(_ group: ServiceGroup) { self.group.withLock { $0 = group } }
    func stop() async { await group.withLock { $0 }?.triggerGracefulShutdown() }
}

/// Counts how often its route was asked, and what the answers depend on.
private final class Numbers: Sendable {
    private let asked = Atomic<Int>(0)
    private let changes = Atomic<UInt64>(0)

    var version: UInt64 { changes.load(ordering: .acquiring) }

    func next() -> Int { asked.add(1, ordering: .relaxed).newValue }
    func change() { changes.add(1, ordering: .releasing) }
}

/// A server on a port of its own, and clients that send bytes as they are.
private struct TestServer: Sendable {
    private let port: Int
    let metrics: ServiceMetrics

    /// Runs `body` with a server.
    static func with(idle: TimeAmount = .seconds(30), _ body: @Sendable @escaping (TestServer) async throws -> Void)
        async throws
    {
        let router = ServiceRouter(context: ServiceRequestContext.self)
        router.resource("/", get: { _, _ in .text("hello") })
        router.resource(
            "/later",
            get: { _, _ in
                await Task.yield()
                return .text("later")
            })
        router.resource("/large", get: { _, _ in .text(String(repeating: "x", count: 5_000_000)) })
        let group = Holder()
        router.resource(
            "/stop",
            get: { _, _ in
                await group.stop()
                return .text("stopped")
            })
        router.resource(
            "/echo",
            post: { request, _ in
                do { return .text(String(buffer: try await request.body.collect(upTo: 100))) } catch {
                    return .text("too long", status: .contentTooLarge)
                }
            })
        let numbers = Numbers()
        router.resource("/number", get: { _, _ in .text("number \(numbers.next())") })
        router.resource(
            "/change",
            get: { _, _ in
                numbers.change()
                return .text("changed")
            })
        let metrics = ServiceMetrics(program: "test")
        let responder = ServiceResponder(router, podName: "pod-1", metrics: metrics)
        let setup = HTTPConnectionSetup(
            responder: responder, idleTimeout: idle, limits: NIOHTTPDecoderLimitConfiguration.services,
            lasting: LastingAnswers(routes: ["/number"]) { numbers.version })
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let application = Application(
            responder: responder, server: HTTPServerBuilder { _ in setup },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }, logger: logger)
        let services = ServiceGroup(services: [application], logger: logger)
        group.hold(services)
        async let end: Void = services.run()
        for await port in ports {
            try await body(TestServer(port: port, metrics: metrics))
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

    @Test("an answer has its length, the date and the pod's name")
    func one() async throws {
        try await TestServer.with { server in
            let answer = try await server.answers(to: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let lines = Set(answer.lowercased().components(separatedBy: "\r\n"))
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.hasSuffix("\r\n\r\nhello\n"))
            #expect(lines.isSuperset(of: ["content-length: 6", "x-pod-name: pod-1", "connection: close"]))
            #expect(lines.contains { $0.hasPrefix("date: ") && $0.hasSuffix(" gmt") })
        }
    }

    @Test("requests that come at once are answered in order, those that wait too")
    func pipelining() async throws {
        try await TestServer.with { server in
            let some = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n"
            let last = "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            let answers = try await server.answers(to: some + some + last)
            let expected = ["200 hello\n", "200 later\n", "200 hello\n", "200 later\n", "404 /none not found\n"]
            #expect(Self.bodies(answers) == expected)
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
            #expect(server.metrics.text().contains(#"{method="GET",route="/number",status="200"} 6"#))
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
}
