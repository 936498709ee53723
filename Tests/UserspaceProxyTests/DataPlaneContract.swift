#if os(Linux)
import Glibc
import Logging
import NetTypes
import ServiceRouting
import Synchronization
import Testing
import UserspaceProxy

/// What every plane promises, tried with real sockets on loopback.
@Suite(.serialized, .timeLimit(.minutes(1))) struct DataPlaneContract {
    private let host = IPAddress.v4(IPv4Address(bits: 0x7F60_0901))

    private func withPlane(
        _ configuration: UserspaceConfiguration = UserspaceConfiguration(),
        _ body: (UserspacePlane) async throws -> Void
    ) async throws {
        let plane = try UserspacePlane(configuration: configuration, logger: Logger(label: "test"))
        do { try await body(plane) } catch {
            await plane.stop()
            throw error
        }
        await plane.stop()
    }

    /// A port that is free on the frontend address now.
    private func frontend(_ proto: TransportProtocol = .tcp) -> Frontend {
        let probe = TestSocket(proto == .tcp ? SOCK_STREAM : SOCK_DGRAM)
        _ = probe.bind(to: SocketEndpoint(address: host, port: 0))
        return Frontend(SocketEndpoint(address: host, port: probe.localPort), proto)
    }

    private func change(
        _ frontend: Frontend, _ endpoints: [SocketEndpoint], affinity: Duration? = nil, sources: [CIDR]? = nil
    ) -> RoutingDiff {
        let port = ServicePortID(
            service: ServiceID(namespace: "kiada", name: "quote"), portName: "", proto: frontend.proto)
        var diff = RoutingDiff()
        let list = EndpointList(endpoints.map { RoutedEndpoint(address: $0) })
        diff.changed = [
            FrontendRoute(
                frontend: frontend, kind: .clusterIP, port: port, outside: list.isEmpty ? .reject : .forward(list),
                affinity: affinity, allowedSources: sources)
        ]
        return diff
    }

    private func answer(_ frontend: Frontend) -> String? {
        let client = TestSocket(SOCK_STREAM)
        guard client.connect(to: frontend.address) == 0, let all = client.readAll() else { return nil }
        return String(decoding: all, as: UTF8.self)
    }

    @Test("7.3 new connections reach every endpoint")
    func spreads() async throws {
        let servers = ["a", "b"].map { TestServer(.greet($0)) }
        try await withPlane { plane in
            let frontend = self.frontend()
            #expect(await plane.apply(change(frontend, servers.map(\.endpoint))).isEmpty)
            var seen: Set<String?> = []
            for _ in 0..<50 { seen.insert(answer(frontend)) }
            #expect(seen == ["a", "b"])
            let counters = await plane.counters()
            #expect(counters.map(\.connections).reduce(0, +) == 50)
            #expect(counters.map(\.bytesToClient).reduce(0, +) == 50)
        }
    }

    @Test("7.12 a client's end is passed on and the answer still comes, also for 10 MB")
    func halfClose() async throws {
        let server = TestServer(.echo)
        try await withPlane { plane in
            let frontend = self.frontend()
            await plane.apply(change(frontend, [server.endpoint]))
            let body = (0..<10_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let client = TestSocket(SOCK_STREAM)
            #expect(client.connect(to: frontend.address) == 0)
            #expect(client.write(body))
            client.finish()
            #expect(client.readAll() == body)
        }
    }

    @Test("7.3 a refused dial goes to another endpoint, and is counted")
    func retries() async throws {
        let server = TestServer(.greet("good"))
        let dead = self.frontend().address
        try await withPlane { plane in
            let frontend = self.frontend()
            await plane.apply(change(frontend, [server.endpoint, dead]))
            for _ in 0..<30 { #expect(answer(frontend) == "good") }
            let failures = await plane.counters().first { $0.endpoint == dead }?.dialFailures ?? 0
            #expect(failures > 0)
        }
    }

    @Test("7.5 without endpoints the client is refused at once, and served when there is one again")
    func rejects() async throws {
        let server = TestServer(.greet("a"))
        try await withPlane { plane in
            let frontend = self.frontend()
            await plane.apply(change(frontend, [server.endpoint]))
            await plane.apply(change(frontend, []))
            #expect(TestSocket(SOCK_STREAM).connect(to: frontend.address) == ECONNREFUSED)
            await plane.apply(change(frontend, [server.endpoint]))
            #expect(answer(frontend) == "a")
        }
    }

    @Test("7.9 a source outside the ranges gets no answer and no reset")
    func drops() async throws {
        let server = TestServer(.greet("a"))
        try await withPlane { plane in
            let frontend = self.frontend()
            await plane.apply(
                change(frontend, [server.endpoint], sources: ["203.0.113.0/24"].compactMap { CIDR($0) }))
            let client = TestSocket(SOCK_STREAM)
            #expect(client.connect(to: frontend.address) == 0)
            var limit = timeval(tv_sec: 0, tv_usec: 200_000)
            setsockopt(
                client.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            #expect(client.read() == nil && errno == EAGAIN)
        }
    }
}
#endif
