import FoundationEssentials
import Glibc
import KiadaTesting
import NIOCore
import NIOPosix
import NetTypes
import ServiceDiscovery
import ServiceKit
import Synchronization
import Testing

@testable import KiadaService

@Suite("kiada's HTTP client, against real sockets")
struct HTTPUpstreamClientTests {
    /// How a request goes to an address of this machine.
    enum Way: CaseIterable, CustomTestStringConvertible {
        case withoutChannel, channel

        /// What is too long for a new connection to take at once goes over a channel.
        var path: String { self == .channel ? "/quote?" + String(repeating: "x", count: 9000) : "/quote" }

        var testDescription: String { self == .channel ? "over a channel" : "without a channel" }
    }

    private func ask(
        _ endpoints: [SocketEndpoint], keepsAlive: Bool = false, limit: Duration = .seconds(10),
        client: HTTPUpstreamClient? = nil, _ way: Way = .withoutChannel
    ) async throws(UpstreamError) -> UpstreamResponse {
        let client = client ?? HTTPUpstreamClient(keepsAlive: keepsAlive, bodyLimit: 1000)
        let place = DiscoveredService(
            method: .variables, scheme: "http", host: "quote", basePath: "", addresses: endpoints, attempts: [])
        return try await client.response(to: UpstreamRequest(path: way.path), at: place, limit: limit)
    }

    private static let good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Pod-Name: quote-9\r\n\r\nhi"

    @Test("status, body and pod; a fresh connection each time", arguments: Way.allCases)
    func fresh(way: Way) async throws {
        let server = try await RawServer(Self.good, closes: false)
        for _ in 0..<3 {
            let response = try await ask([server.endpoint], way)
            #expect(response == UpstreamResponse(status: 200, podName: "quote-9", body: Array("hi".utf8)))
        }
        #expect(server.connections.withLock { $0 } == 3)
        try await server.stop()
    }

    @Test("--upstream-keep-alive uses one connection again", arguments: Way.allCases)
    func keepAlive(way: Way) async throws {
        let server = try await RawServer(Self.good, closes: false)
        let client = HTTPUpstreamClient(keepsAlive: true, bodyLimit: 1000)
        for _ in 0..<3 { #expect(try await ask([server.endpoint], client: client, way).status == 200) }
        #expect(server.connections.withLock { $0 } == 1)
        try await server.stop()
    }

    @Test("a connection that waits ends with a server that says what nobody has asked for", arguments: Way.allCases)
    func unasked(way: Way) async throws {
        let server = try await RawServer(Self.good, closes: false)
        let client = HTTPUpstreamClient(keepsAlive: true, bodyLimit: 1000)
        #expect(try await ask([server.endpoint], client: client, way).body == Array("hi".utf8))
        try await server.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
        for await _ in server.ends { break }
        #expect(try await ask([server.endpoint], client: client, way).body == Array("hi".utf8))
        #expect(server.connections.withLock { $0 } == 2)
        try await server.stop()
    }

    @Test("a request finds another connection when the server has closed the one that waited", arguments: Way.allCases)
    func closedWhileWaiting(way: Way) async throws {
        let server = try await RawServer(Self.good, closes: true)
        let client = HTTPUpstreamClient(keepsAlive: true, bodyLimit: 1000)
        for _ in 0..<20 { #expect(try await ask([server.endpoint], client: client, way).status == 200) }
        #expect(server.connections.withLock { $0 } == 20)
        try await server.stop()
    }

    @Test("no connection waits longer than it may, and none is left when the client is gone", arguments: Way.allCases)
    func waitLimit(way: Way) async throws {
        let server = try await RawServer(Self.good, closes: false)
        let hasty = HTTPUpstreamClient(keepsAlive: true, bodyLimit: 1000, waitLimit: .milliseconds(20))
        #expect(try await ask([server.endpoint], client: hasty, way).status == 200)
        for await _ in server.ends { break }
        do {
            let client = HTTPUpstreamClient(keepsAlive: true, bodyLimit: 1000)
            #expect(try await ask([server.endpoint], client: client, way).status == 200)
        }
        for await _ in server.ends { break }
        #expect(try await ask([server.endpoint], client: hasty, way).status == 200)
        #expect(server.connections.withLock { $0 } == 3)
        try await server.stop()
    }

    @Test("an address that refuses is followed by the next one")
    func nextAddress() async throws {
        let port = try ClosedPort()
        let dead = SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: port.number)
        let server = try await RawServer(Self.good, closes: false)
        #expect(try await ask([dead, server.endpoint]).status == 200)
        await #expect(throws: UpstreamError.connect(code: "ECONNREFUSED", dead)) { try await ask([dead]) }
        try await server.stop()
        withExtendedLifetime(port) {}
    }

    @Test("loopback is dialled at once, IPv4 and IPv6; any other address is left to the event loop")
    func loopback() async throws {
        let server = try await RawServer(Self.good, closes: false)
        guard case .connected(let descriptor) = try Self.dial(server.endpoint) else {
            Issue.record("not connected")
            return
        }
        close(descriptor)
        try await server.stop()
        let port = try ClosedPort()
        for address in ["127.0.0.1", "::1"] {
            let closed = SocketEndpoint(address: try #require(IPAddress(address)), port: port.number)
            // A machine without IPv6 says so.
            guard case .refused(let code) = try Self.dial(closed) else {
                Issue.record("\(address) is not refused")
                continue
            }
            #expect(code == ECONNREFUSED || code == EADDRNOTAVAIL || code == EAFNOSUPPORT)
        }
        let elsewhere = SocketEndpoint(address: try #require(IPAddress("192.0.2.1")), port: 80)
        guard case .unknown = try Self.dial(elsewhere) else {
            Issue.record("192.0.2.1 was dialled")
            return
        }
        withExtendedLifetime(port) {}
    }

    private static func dial(_ endpoint: SocketEndpoint) throws -> LoopbackDial.Outcome {
        let address = try SocketAddress(ipAddress: endpoint.address.description, port: Int(endpoint.port))
        return LoopbackDial.dial(endpoint, at: address)
    }

    @Test(
        "nonsense, too much and too little",
        arguments: [
            ("nonsense\r\n\r\n", UpstreamError.invalidResponse),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + String(repeating: "x", count: 5000),
                .tooLarge(limit: 1000)
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", .closedEarly), ("", .closedEarly),
        ] as [(String, UpstreamError)])
    func garbage(answer: String, expected: UpstreamError) async throws {
        let server = try await RawServer(answer, closes: true)
        for way in Way.allCases {
            await #expect(throws: expected) { try await ask([server.endpoint], way) }
            await #expect(throws: expected) { try await ask([server.endpoint], keepsAlive: true, way) }
        }
        try await server.stop()
    }

    @Test("a body up to the connection's end, and one in chunks", arguments: [false, true], Way.allCases)
    func otherBodies(keepsAlive: Bool, way: Way) async throws {
        let chunks = "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
        for rest in ["\r\nabc", chunks] {
            let server = try await RawServer("HTTP/1.1 200 OK\r\n\(rest)", closes: true)
            let response = try await ask([server.endpoint], keepsAlive: keepsAlive, way)
            #expect(response.body == Array("abc".utf8))
            try await server.stop()
        }
    }

    @Test("more requests at once than a loop's watch has room for", arguments: [false, true])
    func many(keepsAlive: Bool) async throws {
        let server = try await RawServer(Self.good, closes: false)
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let client = HTTPUpstreamClient(keepsAlive: keepsAlive, bodyLimit: 1000)
        let place = DiscoveredService(
            method: .variables, scheme: "http", host: "quote", basePath: "", addresses: [server.endpoint], attempts: [])
        let count = SocketWatch.capacity + 50
        let request = client.prepared(UpstreamRequest(path: "/quote"), at: place)
        let statuses = try await loop.flatSubmit {
            let answers = (0..<count).map { _ in
                let promise = loop.makePromise(of: Int.self)
                client.ask(request, limit: .seconds(10), on: loop) { result in
                    promise.completeWith(result.map(\.status).mapError { $0 as any Error })
                }
                return promise.futureResult
            }
            return EventLoopFuture.whenAllSucceed(answers, on: loop)
        }.get()
        #expect(statuses == Array(repeating: 200, count: count))
        try await server.stop()
    }

    @Test("a server that never answers costs no more than the limit", arguments: [false, true], Way.allCases)
    func silence(keepsAlive: Bool, way: Way) async throws {
        let server = try await RawServer(nil, closes: false)
        await #expect(throws: UpstreamError.timedOut(after: .milliseconds(100))) {
            try await ask([server.endpoint], keepsAlive: keepsAlive, limit: .milliseconds(100), way)
        }
        for await _ in server.ends { break }
        try await server.stop()
    }
}
