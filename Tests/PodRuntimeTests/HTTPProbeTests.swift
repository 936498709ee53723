import NIOCore
import NIOPosix
import PodRuntime
import Synchronization
import Testing

@testable import ClusterModel

@Suite("4.4, 4.5 httpGet and tcpSocket probes", .timeLimit(.minutes(1)))
struct HTTPProbeTests {
    /// What a probe of `path` finds on a server that answers as ``AnswerHandler`` says.
    private func outcome(
        _ path: String, _ server: ProbedServer, host: String = "127.0.0.1", headers: [Probe.Header] = [],
        timeout: Duration = .seconds(5)
    ) async -> ProbeOutcome {
        await NetworkProbe().get(
            HTTPProbeTarget(host: host, port: server.port, path: path, headers: headers), timeout: timeout)
    }

    @Test("200 to 399 is success, all else a failure that names the code")
    func codes() async throws {
        let server = try await ProbedServer.start()
        for code in [200, 204, 302, 399] { #expect(await outcome("/code/\(code)", server) == .success, "\(code)") }
        for code in [400, 404, 500, 503] {
            #expect(
                await outcome("/code/\(code)", server) == .failure("HTTP probe failed with statuscode: \(code)"))
        }
        try await server.channel.close()
    }

    @Test("redirects to the same host are followed up to ten times; more, or another host, is success with a warning")
    func redirects() async throws {
        let server = try await ProbedServer.start()
        #expect(await outcome("/hops/10", server) == .success)
        #expect(await outcome("/hops/11", server) == .warning("Probe terminated redirects, Response body: "))
        #expect(await outcome("/to/code/500", server) == .failure("HTTP probe failed with statuscode: 500"))
        #expect(
            await outcome("/elsewhere", server) == .warning("Probe terminated redirects, Response body: go away"))
        try await server.channel.close()
    }

    @Test("the request: one connection, kube-probe, any type; headers of the manifest win, an empty one removes")
    func headers() async throws {
        let server = try await ProbedServer.start()
        #expect(await outcome("/a?b=c", server) == .success)
        let plain = server.last
        #expect(plain.hasPrefix("GET /a?b=c HTTP/1.1\r\n"))
        #expect(plain.contains("\r\nUser-Agent: kube-probe/1.") && plain.contains("\r\nAccept: */*\r\n"))
        #expect(plain.contains("\r\nHost: 127.0.0.1:\(server.port)\r\n"))
        #expect(plain.lowercased().contains("\r\nconnection: close\r\n"))
        _ = await outcome(
            "/", server,
            headers: [
                .init(name: "Host", value: "quiz.example"), .init(name: "Accept", value: ""),
                .init(name: "X-Probe", value: "1"),
            ])
        let own = server.last
        #expect(own.contains("\r\nHost: quiz.example\r\n") && own.contains("\r\nX-Probe: 1\r\n"))
        #expect(!own.contains("Accept:") && !own.contains("127.0.0.1"))
        try await server.channel.close()
    }

    @Test("a body without end is read no further than 10 KiB; silence fails after the timeout")
    func bounds() async throws {
        let server = try await ProbedServer.start()
        #expect(await outcome("/endless", server) == .success)
        #expect(
            await outcome("/silent", server, timeout: .milliseconds(50))
                == .failure("dial tcp 127.0.0.1:\(server.port): i/o timeout"))
        try await server.channel.close()
        #expect(
            await outcome("/", server) == .failure("dial tcp 127.0.0.1:\(server.port): connect: connection refused"))
    }

    @Test("4.5 a connection that opens is success, one that is refused is not")
    func connections() async throws {
        let server = try await ProbedServer.start()
        let probe = NetworkProbe()
        #expect(await probe.connect(host: "127.0.0.1", port: server.port, timeout: .seconds(5)) == .success)
        try await server.channel.close()
        #expect(
            await probe.connect(host: "127.0.0.1", port: server.port, timeout: .seconds(5))
                == .failure("dial tcp 127.0.0.1:\(server.port): connect: connection refused"))
    }
}

/// A server on loopback that answers by the request's path and remembers the last request.
private final class ProbedServer: Sendable {
    let channel: any Channel
    let port: Int
    private let requests: SharedText

    var last: String { requests.value.withLock { $0 } }

    static func start() async throws -> ProbedServer {
        let requests = SharedText()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AnswerHandler { text in requests.value.withLock { $0 = text } })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ProbedServer(channel, requests)
    }

    private init(_ channel: any Channel, _ requests: SharedText) {
        self.channel = channel
        self.requests = requests
        port = channel.localAddress?.port ?? 0
    }
}

/// A text that several hold.
private final class SharedText: Sendable {
    let value = Mutex("")
}

/// | path | answer |
/// |---|---|
/// | `/code/N` | the code N |
/// | `/hops/N` | N redirects, then 200 |
/// | `/to/...` | a redirect to the rest |
/// | `/elsewhere` | a redirect to another host |
/// | `/endless` | more and more |
/// | `/silent` | none |
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let note: @Sendable (String) -> Void
    private var text = ""

    init(_ note: @escaping @Sendable (String) -> Void) { self.note = note }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        text += String(buffer: unwrapInboundIn(data))
        guard text.hasSuffix("\r\n\r\n") else { return }
        note(text)
        let path = text.split(separator: " ").dropFirst().first.map(String.init) ?? "/"
        let number = path.split(separator: "/").last.flatMap { Int($0) } ?? 0
        switch path.split(separator: "/").first {
        case "code": answer(context, number)
        case "hops": number == 0 ? answer(context, 200) : answer(context, 301, to: "/hops/\(number - 1)")
        case "to": answer(context, 302, to: String(path.dropFirst(3)))
        case "elsewhere": answer(context, 302, to: "http://192.0.2.1/", body: "go away")
        case "endless":
            write(context, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<12 { write(context, "400\r\n" + String(repeating: "x", count: 1024) + "\r\n") }
        case "silent": break
        default: answer(context, 200)
        }
    }

    private func answer(_ context: ChannelHandlerContext, _ code: Int, to location: String? = nil, body: String = "") {
        let place = location.map { "Location: \($0)\r\n" } ?? ""
        let length = code == 204 ? "" : "Content-Length: \(body.utf8.count)\r\n"
        write(context, "HTTP/1.1 \(code) X\r\n\(place)\(length)\r\n\(body)")
    }

    private func write(_ context: ChannelHandlerContext, _ text: String) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
}
