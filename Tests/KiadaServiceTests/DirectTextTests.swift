import HTTPTypes
import KiadaTesting
import NIOCore
import NIOPosix
import NetTypes
import ServiceDiscovery
import ServiceKit
import Synchronization
import Testing

@testable import KiadaService

@Suite("The text page by callbacks, against real sockets")
struct DirectTextTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    private static func answer(_ body: String) -> String {
        "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nX-Pod-Name: pod\r\n\r\n\(body)"
    }

    private func routes(
        quote: String, quiz: String, keepsAlive: Bool = false
    ) throws -> KiadaRoutes {
        let client = HTTPUpstreamClient(keepsAlive: keepsAlive)
        func dependency(_ name: String, _ url: String) -> Dependency {
            Dependency(
                name: name, locator: ServiceDiscovery(name: name, explicitURL: url, environment: [:]), client: client)
        }
        return try KiadaRoutes(
            quote: dependency("quote", quote), quiz: dependency("quiz", quiz),
            identity: PodIdentity(podName: "k", nodeName: "n", podIP: "10.0.0.1", nodeIP: "10.0.0.2", hostname: "k"),
            status: StatusMessage("hello"))
    }

    /// The body of the answer; nil if the router has to give it.
    private func text(_ routes: KiadaRoutes, _ path: String, accept: String = "*/*") async throws -> String? {
        let route = try #require(routes.direct.first { $0.path == path })
        let request = HTTPRequest(
            method: .get, scheme: "http", authority: "kiada", path: path, headerFields: [.accept: accept])
        let client = try SocketAddress(ipAddress: "127.0.0.1", port: 4000)
        return try await loop.flatSubmit { [loop] in
            let promise = loop.makePromise(of: String?.self)
            let isBegun = route.begin(request, client, loop) { promise.succeed(String(buffer: $0)) }
            if !isBegun { promise.succeed(nil) }
            return promise.futureResult
        }.get()
    }

    @Test("quote and quiz over fresh connections or ones that stay", arguments: [false, true])
    func page(keepsAlive: Bool) async throws {
        let quote = try await RawServer(Self.answer("Be kind.\n"), closes: false)
        let quiz = try await RawServer(
            Self.answer(#"{"id":1,"text":"Which?","answers":["a","b"],"correctAnswerIndex":1}"#), closes: false)
        let routes = try routes(
            quote: "http://\(quote.endpoint)", quiz: "http://\(quiz.endpoint)", keepsAlive: keepsAlive)
        for path in ["/text", "/", "/text"] {
            let page = try #require(try await text(routes, path))
            #expect(page.contains("TIP OF THE MINUTE\nBe kind.\n\n"))
            #expect(page.contains("POP QUIZ\nWhich?\n0) a\n1) b\n\n"))
            #expect(page.contains("Client IP: ::ffff:127.0.0.1\nhello\n"))
        }
        #expect(quote.connections.withLock { $0 } == (keepsAlive ? 1 : 3))
        #expect(try await text(routes, "/", accept: "text/html") == nil)
        try await quote.stop()
        try await quiz.stop()
    }

    @Test("what refuses or talks nonsense stands as ERROR in its section")
    func failures() async throws {
        let port = try ClosedPort()
        let quiz = try await RawServer("nonsense\r\n\r\n", closes: true)
        let routes = try routes(quote: "http://127.0.0.1:\(port.number)", quiz: "http://\(quiz.endpoint)")
        let page = try #require(try await text(routes, "/text"))
        #expect(page.contains("TIP OF THE MINUTE\nERROR: connect ECONNREFUSED 127.0.0.1:\(port.number)\n\n"))
        #expect(page.contains("POP QUIZ\nERROR: invalid response\n\n"))
        try await quiz.stop()
        withExtendedLifetime(port) {}
    }

    @Test("where a name has to be looked up, the router answers")
    func names() throws {
        #expect(try routes(quote: "http://quote", quiz: "http://127.0.0.1").direct.isEmpty)
    }
}
