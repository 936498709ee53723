#if os(Linux)
import CLinux
import DataPlaneContract
import Glibc
import Logging
import NFTablesProxy
import NetTypes
import ServiceRouting
import Testing

/// The plane in a container beside those of the endpoints and clients, as docker compose has it.
@Suite(.serialized, .enabled(if: NetworkNamespace.rights == .all), .timeLimit(.minutes(2)))
struct ContainerNetworkTests {
    private let pods: [TestServer]
    private let datagramPods: [TestServer]

    init() throws {
        try #require(ContainerNetwork.isMade)
        func servers(_ behaviour: (String) -> TestServer.Behaviour) throws -> [TestServer] {
            try [("pod-a", "10.96.128.5"), ("pod-b", "10.96.128.6")].map { name, address in
                try NetworkNamespace.enter(name) { TestServer(behaviour(name), on: ContainerNetwork.address(address)) }
            }
        }
        pods = try servers { .greet($0) }
        datagramPods = try servers { .datagrams($0) }
    }

    private func run(
        exempt: Set<IPAddress> = [], _ body: (any DataPlane) async throws -> Void
    ) async throws {
        var configuration = NFTablesConfiguration()
        configuration.exemptAddresses = exempt
        let plane = try NFTablesPlane(configuration: configuration, logger: Logger(label: "test"))
        try await PlaneUnderTest.run(plane, body)
    }

    private static func frontend(_ text: String, _ port: UInt16, _ proto: TransportProtocol = .tcp) -> Frontend {
        Frontend(ContainerNetwork.endpoint(text, port), proto)
    }

    private static func answer(_ frontend: Frontend, from name: String) throws -> String? {
        try NetworkNamespace.enter(name) { PlaneUnderTest.answer(frontend) }
    }

    private static func error(_ frontend: Frontend, from name: String) throws -> Int32 {
        try NetworkNamespace.enter(name) {
            TestSocket(SOCK_STREAM, frontend.address.address.family).connect(to: frontend.address)
        }
    }

    @Test("A cluster IP is reached from a container, from a pod, from the bridge and from the proxy itself")
    func clusterIP() async throws {
        let frontend = Self.frontend("10.96.0.50", 80)
        try await run { plane async throws in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, pods.map(\.endpoint))]))
            for name in ["client", "pod-a", "lan"] {
                let answers = try (0..<20).map { _ in try Self.answer(frontend, from: name) }
                #expect(Set(answers) == ["pod-a", "pod-b"], "from \(name)")
            }
            let own = (0..<20).map { _ in PlaneUnderTest.answer(frontend) }
            #expect(Set(own) == ["pod-a", "pod-b"])
            #expect(await plane.counters().map(\.connections).reduce(0, +) == 80)
        }
    }

    @Test("IPv6: a cluster IP is reached, and refuses without endpoints")
    func version6() async throws {
        let server = try NetworkNamespace.enter("pod-a") {
            TestServer(.greet("pod-a"), on: ContainerNetwork.address("fd00:96::8:5"))
        }
        let frontend = Self.frontend("fd00:96:0:1::50", 80)
        try await run { plane async throws in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
            #expect(try Self.answer(frontend, from: "client") == "pod-a")
            #expect(try Self.answer(frontend, from: "pod-a") == "pod-a")
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [])]))
            #expect(try Self.error(frontend, from: "client") == ECONNREFUSED)
        }
    }

    @Test("7.5 a Service without endpoints refuses at once: TCP by reset, UDP by port unreachable")
    func refuses() async throws {
        let (tcp, udp) = (Self.frontend("10.96.0.50", 80), Self.frontend("10.96.0.50", 53, .udp))
        try await run { plane async throws in
            await plane.apply(PlaneUnderTest.diff([tcp, udp].map { PlaneUnderTest.route($0, []) }))
            #expect(try Self.error(tcp, from: "client") == ECONNREFUSED)
            let client = try NetworkNamespace.enter("client") { TestSocket(SOCK_DGRAM) }
            #expect(client.connect(to: udp.address) == 0)
            client.write("x")
            #expect(client.read() == nil && errno == ECONNREFUSED)
            await plane.apply(
                PlaneUnderTest.diff([PlaneUnderTest.route(udp, datagramPods.map(\.endpoint))]))
            client.write("x")
            #expect(["pod-a 1", "pod-b 1"].contains(client.read().map { String(decoding: $0, as: UTF8.self) }))
        }
    }

    @Test("S54, S55, 7.10 other ports of a cluster IP refuse, and it does not answer ping")
    func otherPorts() async throws {
        let frontend = Self.frontend("10.96.0.50", 80)
        try await run(exempt: [ContainerNetwork.address("10.96.0.10")]) { plane async throws in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, pods.map(\.endpoint))]))
            #expect(try Self.error(Self.frontend("10.96.0.50", 81), from: "client") == ECONNREFUSED)
            #expect(try ContainerNetwork.answersPing(ContainerNetwork.proxy))
            #expect(try !ContainerNetwork.answersPing(frontend.address.address))
            #expect(try !ContainerNetwork.answersPing(ContainerNetwork.address("10.96.0.10")))
        }
    }

    @Test("A published port is reached from the bridge's gateway, and its port is kept from others here")
    func publishedPort() async throws {
        let frontend = Self.frontend("10.96.255.2", 8080)
        try await run { plane async throws in
            let problems = await plane.apply(
                PlaneUnderTest.diff([PlaneUnderTest.route(frontend, pods.map(\.endpoint), kind: .localhost)]))
            #expect(problems.isEmpty)
            let answers = try (0..<20).map { _ in try Self.answer(frontend, from: "lan") }
            #expect(Set(answers) == ["pod-a", "pod-b"])
            #expect(TestSocket(SOCK_STREAM).bind(to: frontend.address) == EADDRINUSE)
        }
    }

    @Test("7.6 a pod that is sent to itself is answered")
    func hairpin() async throws {
        let frontend = Self.frontend("10.96.0.50", 80)
        try await run { plane async throws in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [pods[0].endpoint])]))
            for _ in 0..<5 { #expect(try Self.answer(frontend, from: "pod-a") == "pod-a") }
        }
    }

    @Test("What the proxy serves itself: its DNS address is left alone, the API's Service leads to its own address")
    func ownServers() async throws {
        let dns = TestServer(.greet("dns"), on: ContainerNetwork.address("10.96.0.10"))
        let api = TestServer(.greet("api"), on: ContainerNetwork.proxy)
        let (dnsService, apiService) = (Frontend(dns.endpoint, .tcp), Self.frontend("10.96.0.1", 443))
        try await run(exempt: [dns.endpoint.address]) { plane async throws in
            await plane.apply(
                PlaneUnderTest.diff([
                    PlaneUnderTest.route(dnsService, []), PlaneUnderTest.route(apiService, [api.endpoint]),
                ]))
            #expect(try Self.answer(dnsService, from: "client") == "dns")
            #expect(try Self.answer(apiService, from: "client") == "api")
        }
    }

    @Test("7.7 a client stays with its endpoint; 7.9 source ranges see the client's own address")
    func clients() async throws {
        let (sticky, closed) = (Self.frontend("10.96.0.50", 80), Self.frontend("10.96.0.51", 80))
        try await run { plane async throws in
            let allowed = [CIDR(containing: ContainerNetwork.clientAddress, prefixLength: 32)]
            let endpoints = pods.map(\.endpoint)
            await plane.apply(
                PlaneUnderTest.diff([
                    PlaneUnderTest.route(sticky, endpoints, affinity: .seconds(600)),
                    PlaneUnderTest.route(closed, endpoints, kind: .loadBalancer, sources: allowed),
                ]))
            for name in ["client", "pod-a", "pod-b"] {
                let answers = try (0..<20).map { _ in try Self.answer(sticky, from: name) }
                #expect(Set(answers).count == 1 && answers[0] != nil, "from \(name)")
            }
            #expect(try Self.answer(closed, from: "client") != nil)
            let other = try NetworkNamespace.enter("pod-a") { TestSocket(SOCK_STREAM) }
            other.limitWaits(milliseconds: 300)
            #expect(other.connect(to: closed.address) == EINPROGRESS)
        }
    }

    @Test("7.11 a container's UDP flow moves when its endpoint goes")
    func movesFlows() async throws {
        let frontend = Self.frontend("10.96.0.50", 53, .udp)
        try await run { plane async throws in
            let client = try NetworkNamespace.enter("client") { TestSocket(SOCK_DGRAM) }
            #expect(client.connect(to: frontend.address) == 0)
            for (pod, name) in zip(datagramPods + datagramPods, ["pod-a", "pod-b", "pod-a", "pod-b"]) {
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [pod.endpoint])]))
                client.write("x")
                #expect(client.read() == Array("\(name) 1".utf8))
            }
        }
    }
}
#endif
