#if os(Linux)
import Glibc
import KiadaTesting
import Logging
import NetTypes
import ServiceRouting
import Testing

@testable import SocketProxy

/// The programs in the kernel, seen by clients in a control group that the test makes.
///
/// Address plan: frontends in 10.250.77.0/24, which this machine does not have, so that nothing but the programs can answer;
/// endpoints on 127.201.2.1 and ::1.
@Suite(
    .serialized, .timeLimit(.minutes(1)),
    .enabled(if: TestGroup.reason == nil, "root and a cgroup2 file system are needed: not tested"))
struct SocketPlaneTests {
    @Test("7.3 new connections reach every endpoint at random, are counted, and see the frontend as their peer")
    func spreads() async throws {
        let servers = ["a", "b"].map { NamedServer($0) }
        try await Self.run { plane in
            await plane.apply(Self.diff([Self.route(1, servers.map(\.endpoint))]))
            var answers: [String: Int] = [:]
            for _ in 0..<100 { answers[Self.answer(1) ?? "none", default: 0] += 1 }
            #expect(Set(answers.keys) == ["a", "b"])
            #expect(answers.values.allSatisfy { $0 > 20 })
            let client = LoopbackSocket(.tcp)
            #expect(client.connect(to: Self.frontend(1)) == 0)
            #expect(client.peer == Self.frontend(1))
            let counters = await plane.counters()
            #expect(counters.map(\.connections).reduce(0, +) == 101)
            #expect(counters.map(\.active).reduce(0, +) == 1)
        }
    }

    @Test("a socket whose pod has refused it can be connected again: it is counted and named anew, until it is closed")
    func again() async throws {
        let (server, port) = (NamedServer("a"), try ClosedPort())
        let closed = SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: port.number)
        try await Self.run { plane in
            await plane.apply(Self.diff([Self.route(1, [closed]), Self.route(2, [server.endpoint])]))
            var client: LoopbackSocket? = LoopbackSocket(.tcp)
            #expect(client?.connect(to: Self.frontend(1)) == ECONNREFUSED)
            #expect(client?.connect(to: Self.frontend(2)) == 0)
            #expect(client?.peer == Self.frontend(2))
            let active = await plane.counters().filter { $0.active > 0 }
            #expect(active.map(\.endpoint) == [server.endpoint])
            client = nil
            let left = await plane.counters().map(\.active)
            #expect(left.allSatisfy { $0 == 0 })
        }
        withExtendedLifetime(port) {}
    }

    @Test("7.5 without endpoints TCP is refused at once; unconnected datagrams too")
    func refuses() async throws {
        let server = NamedServer("a")
        try await Self.run { plane in
            await plane.apply(Self.diff([Self.route(1, []), Self.route(2, [], .udp)]))
            #expect(LoopbackSocket(.tcp).connect(to: Self.frontend(1)) == ECONNREFUSED)
            #expect(LoopbackSocket(.udp).send("x", to: Self.frontend(2)) == ECONNREFUSED)
            await plane.apply(Self.diff([Self.route(1, [server.endpoint])]))
            #expect(Self.answer(1) == "a")
        }
    }

    @Test("before Linux 6.1 refusing is left to the plane beneath, and the rest works")
    func oldKernel() async throws {
        let server = NamedServer("a")
        var configuration = SocketConfiguration()
        configuration.refusesByItself = false
        let local = SocketEndpoint(address: .v4(IPv4Address(bits: 0x7FC9_0902)), port: 7)
        let refusing = FrontendRoute(
            frontend: Frontend(local, .tcp), kind: .clusterIP, port: Self.route(2, []).port, outside: .reject)
        try await Self.run(configuration) { plane in
            await plane.apply(Self.diff([Self.route(1, [server.endpoint]), refusing]))
            #expect(Self.answer(1) == "a")
            #expect(LoopbackSocket(.tcp).connect(to: local) == ECONNREFUSED)
        }
    }

    @Test("IPv6, and IPv4 by IPv6 sockets")
    func families() async throws {
        let four = NamedServer("four")
        let six = NamedServer("six", isIPv6: true)
        let frontend = try #require(SocketEndpoint("[fd77::1]:80"))
        let route = FrontendRoute(
            frontend: Frontend(frontend, .tcp), kind: .clusterIP, port: Self.route(1, []).port,
            outside: .forward(EndpointList([RoutedEndpoint(address: six.endpoint)])))
        try await Self.run { plane in
            await plane.apply(Self.diff([route, Self.route(2, [four.endpoint])]))
            let client = LoopbackSocket(.tcp, isIPv6: true)
            #expect(client.connect(to: frontend) == 0)
            #expect(client.receive()?.text == "six")
            #expect(client.peer == frontend)
            let mapped = LoopbackSocket(.tcp, isIPv6: true)
            #expect(mapped.connect(to: Self.frontend(2)) == 0)
            #expect(mapped.receive()?.text == "four")
            #expect(mapped.peer?.description == "[::ffff:10.250.77.2]:80")
        }
    }

    @Test(
        "datagrams, connected or not, have one endpoint per socket and come back from the frontend",
        arguments: [false, true])
    func datagrams(isIPv6: Bool) async throws {
        let servers = ["a", "b"].map { NamedServer($0, .udp) }
        try await Self.run { plane in
            await plane.apply(Self.diff([Self.route(1, servers.map(\.endpoint), .udp)]))
            let connected = LoopbackSocket(.udp, isIPv6: isIPv6)
            #expect(connected.connect(to: Self.frontend(1)) == 0)
            let free = LoopbackSocket(.udp, isIPv6: isIPv6)
            for client in [connected, free] {
                var answers: Set<String> = []
                for _ in 0..<20 {
                    client.send("x", to: client === free ? Self.frontend(1) : nil)
                    let answer = client.receive()
                    answers.insert(answer?.text ?? "none")
                    let from = answer?.from?.description ?? ""
                    #expect(from.hasSuffix("10.250.77.1:80") || from.hasSuffix("10.250.77.1]:80"))
                }
                #expect(answers.count == 1 && answers.isSubset(of: ["a x", "b x"]))
            }
            #expect(await plane.counters().map(\.connections).reduce(0, +) == 2)
        }
    }

    @Test(
        "7.11 a connected datagram socket moves when its endpoint goes, hears of none, and comes back",
        arguments: [false, true])
    func moves(isIPv6: Bool) async throws {
        let servers = ["a", "b"].map { NamedServer($0, .udp) }
        let both = servers.map(\.endpoint)
        try await Self.run { plane in
            await plane.apply(Self.diff([Self.route(1, [both[0]], .udp)]))
            let client = LoopbackSocket(.udp, isIPv6: isIPv6)
            let free = LoopbackSocket(.udp, isIPv6: isIPv6)
            #expect(client.connect(to: Self.frontend(1)) == 0)
            func answers() -> [String?] {
                client.send("x")
                free.send("x", to: Self.frontend(1))
                return [client.receive()?.text, free.receive()?.text]
            }
            #expect(answers() == ["a x", "a x"])
            await plane.apply(Self.diff([Self.route(1, [both[1]], .udp, serving: both)]))
            #expect(answers() == ["a x", "a x"])
            await plane.apply(Self.diff([Self.route(1, [both[1]], .udp)]))
            #expect(answers() == ["b x", "b x"])
            await plane.apply(Self.diff([Self.route(1, [], .udp)]))
            client.send("x")
            #expect(client.receive() == nil && errno == ECONNREFUSED)
            #expect(client.peer?.port == 80)
            await plane.apply(Self.diff([Self.route(1, [both[0]], .udp)]))
            #expect(answers() == ["a x", "a x"])
        }
    }

    @Test(
        "7.11 a client that was refused, at an address of the loopback, gets another one for an endpoint elsewhere",
        .enabled(if: elsewhere != nil, "this machine has no address but the loopback's: not tested"))
    func leavesLoopback() async throws {
        let elsewhere = try #require(Self.elsewhere)
        try await Self.run { plane in
            await plane.apply(Self.diff([Self.route(1, [], .udp)]))
            let client = LoopbackSocket(.udp)
            #expect(client.connect(to: Self.frontend(1)) == 0)
            #expect(client.local?.address.isLoopback == true)
            await plane.apply(Self.diff([Self.route(1, [elsewhere], .udp)]))
            #expect(client.local?.address == elsewhere.address)
        }
    }

    /// An address of this machine that is not the loopback's; nothing is sent to find it.
    private static var elsewhere: SocketEndpoint? {
        let probe = LoopbackSocket(.udp)
        guard let other = SocketEndpoint("192.0.2.1:9"), probe.connect(to: other) == 0 else { return nil }
        return probe.local
    }

    @Test("7.7 affinity is per client address, slides, and is shared by the port's frontends")
    func affinity() async throws {
        let servers = ["a", "b", "c", "d"].map { NamedServer($0) }
        let routes = [1, 2].map { Self.route($0, servers.map(\.endpoint), affinity: .seconds(60)) }
        try await Self.run { plane in
            await plane.apply(Self.diff(routes))
            let events = plane.connectionEvents(limit: 100)
            var answers: [String?] = []
            for (turn, seconds) in [0, 50, 50, 50, 61].enumerated() {
                plane.shiftClock(by: .seconds(seconds))
                answers.append(Self.answer(1 + turn % 2))
            }
            var others: Set<String?> = []
            for host in 1...16 {
                let client = LoopbackSocket(.tcp)
                let source = IPAddress.v4(IPv4Address(bits: 0x7FC9_0300 + UInt32(host)))
                #expect(client.bind(to: SocketEndpoint(address: source, port: 0)) == 0)
                #expect(client.connect(to: Self.frontend(1)) == 0)
                others.insert(client.receive()?.text)
            }
            await plane.stop()
            var reasons: [ChoiceReason] = []
            for await event in events { reasons.append(event.reason) }
            #expect(Set(answers.prefix(4)).count == 1)
            #expect(others.count > 1)
            #expect(reasons.count == 21 && reasons[0] == .random && reasons[4] == .random)
            for reason in reasons[1..<4] {
                guard case .affinity(let left) = reason else {
                    Issue.record("chosen by \(reason)")
                    continue
                }
                #expect(left <= .seconds(10) && left > .seconds(5))
            }
        }
    }

    @Test("7.7 a client whose endpoint goes gets another, and stays there when the first comes back")
    func affinityMoves() async throws {
        let servers = ["a", "b", "c"].map { NamedServer($0) }
        try await Self.run { plane in
            func list(without gone: String?) async {
                let left = zip(["a", "b", "c"], servers).filter { $0.0 != gone }.map(\.1.endpoint)
                await plane.apply(Self.diff([Self.route(1, left, affinity: .seconds(600))]))
            }
            await list(without: nil)
            let first = Self.answer(1)
            await list(without: first)
            let second = Self.answer(1)
            #expect(second != nil && second != first)
            await list(without: nil)
            for _ in 0..<10 { #expect(Self.answer(1) == second) }
        }
    }

    @Test("an event names the program, the client's address, the Service, the pod and the reason")
    func events() async throws {
        let server = NamedServer("a")
        let route = Self.route(1, [server.endpoint])
        try await Self.run { plane in
            await plane.apply(Self.diff([route]))
            #expect(Self.answer(1) == "a")
            let events = plane.connectionEvents(limit: 10)
            let client = LoopbackSocket(.tcp)
            let source = SocketEndpoint(address: .v4(IPv4Address(bits: 0x7FC9_0307)), port: 0)
            #expect(client.bind(to: source) == 0)
            #expect(client.connect(to: Self.frontend(1)) == 0)
            for await event in events {
                #expect(event.client == client.local)
                #expect(event.frontend == route.frontend && event.port == route.port)
                #expect(event.endpoint.address == server.endpoint)
                #expect(event.reason == .onlyReadyEndpoint)
                #expect(event.process?.id == getpid())
                #expect(event.process?.command.isEmpty == false)
                break
            }
        }
    }

    @Test("no connection fails while endpoints change, also when the maps become too small")
    func churn() async throws {
        let servers = ["a", "b", "c"].map { NamedServer($0) }
        var configuration = SocketConfiguration()
        configuration.firstCapacity = (routes: 1, endpoints: 4, slots: 2)
        try await Self.run(configuration) { plane in
            await plane.apply(Self.diff([Self.route(1, servers.map(\.endpoint))]))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for turn in 0..<300 {
                        let ready = turn % 2 == 0 ? [servers[turn % 3]] : [servers[turn % 3], servers[(turn + 1) % 3]]
                        let more = (2...2 + turn / 10).map { Self.route($0, servers.map(\.endpoint)) }
                        await plane.apply(Self.diff([Self.route(1, ready.map(\.endpoint))] + more))
                    }
                }
                group.addTask {
                    for _ in 0..<1500 { #expect(Self.answer(1)?.count == 1) }
                }
            }
            #expect(Self.answer(30) != nil)
            let counters = await plane.counters()
            #expect(counters.allSatisfy { $0.active == 0 })
            await plane.apply(Self.diff([Self.route(1, servers.map(\.endpoint))]))
            for _ in 0..<10 { #expect(Self.answer(1) != nil) }
        }
    }

    @Test("whoever is outside the control group connects as if there were no plane")
    func outside() async throws {
        let server = NamedServer("a")
        try await Self.run(joins: false) { plane in
            let local = SocketEndpoint(address: server.endpoint.address, port: 1)
            let list = EndpointList([RoutedEndpoint(address: server.endpoint)])
            let route = FrontendRoute(
                frontend: Frontend(local, .tcp), kind: .clusterIP, port: Self.route(1, []).port, outside: .forward(list)
            )
            await plane.apply(Self.diff([route]))
            #expect(LoopbackSocket(.tcp).connect(to: local) == ECONNREFUSED)
            #expect(await plane.counters().map(\.connections) == [0])
        }
    }

    @Test("after stop() the programs are gone, established connections stay")
    func stops() async throws {
        let server = NamedServer("a")
        let refusing = SocketEndpoint(address: server.endpoint.address, port: 1)
        let list = EndpointList([RoutedEndpoint(address: server.endpoint)])
        let route = FrontendRoute(
            frontend: Frontend(refusing, .tcp), kind: .clusterIP, port: Self.route(1, []).port, outside: .forward(list))
        try await Self.run { plane in
            await plane.apply(Self.diff([route]))
            let client = LoopbackSocket(.tcp)
            #expect(client.connect(to: refusing) == 0)
            await plane.stop()
            #expect(LoopbackSocket(.tcp).connect(to: refusing) == ECONNREFUSED)
            #expect(client.receive()?.text == "a")
        }
    }

    @Test("after kill -9 the programs are gone")
    func killed() async throws {
        let server = NamedServer("a")
        let refusing = SocketEndpoint(address: server.endpoint.address, port: 1)
        let group = try TestGroup()
        let holder = try ChildProcess(Holder.path, [group.path, "tcp", "\(refusing)", "\(server.endpoint)"])
        let isReady = await eventually { !holder.output.isEmpty }
        try #require(isReady && holder.output == "ready\n", "\(holder.output)")
        #expect(LoopbackSocket(.tcp).connect(to: refusing) == 0)
        holder.signal(SIGKILL)
        _ = await holder.wait()
        #expect(LoopbackSocket(.tcp).connect(to: refusing) == ECONNREFUSED)
    }

    // MARK: - Helpers

    static func frontend(_ number: Int) -> SocketEndpoint {
        SocketEndpoint(address: .v4(IPv4Address(bits: 0x0AFA_4D00 + UInt32(number))), port: 80)
    }

    private static func route(
        _ number: Int, _ endpoints: [SocketEndpoint], _ proto: TransportProtocol = .tcp, affinity: Duration? = nil,
        serving: [SocketEndpoint]? = nil
    ) -> FrontendRoute {
        let list = EndpointList(endpoints.map { RoutedEndpoint(address: $0) })
        let service = ServiceID(namespace: "kiada", name: "quote")
        return FrontendRoute(
            frontend: Frontend(frontend(number), proto), kind: .clusterIP,
            port: ServicePortID(service: service, portName: "", proto: proto),
            outside: list.isEmpty ? .reject : .forward(list), affinity: affinity, serving: serving)
    }

    private static func diff(_ changed: [FrontendRoute]) -> RoutingDiff {
        var diff = RoutingDiff()
        diff.changed = changed
        return diff
    }

    private static func answer(_ number: Int) -> String? {
        let client = LoopbackSocket(.tcp)
        return client.connect(to: frontend(number)) == 0 ? client.receive()?.text : nil
    }

    private static func run(
        _ configuration: SocketConfiguration = SocketConfiguration(), joins: Bool = true,
        _ body: (SocketPlane) async throws -> Void
    ) async throws {
        let group = try TestGroup(joins: joins)
        var configuration = configuration
        configuration.controlGroup = group.path
        let plane = try SocketPlane(
            configuration: configuration, beneath: { NoPlane() }, logger: Logger(label: "test"))
        do { try await body(plane) } catch {
            await plane.stop()
            throw error
        }
        await plane.stop()
        withExtendedLifetime(group) {}
    }
}

/// A plane that serves nothing.
struct NoPlane: DataPlane {
    let name = "none"
    func apply(_ diff: RoutingDiff) async -> [FrontendProblem] { [] }
    func connectionEvents(limit: Int) -> AsyncStream<ConnectionEvent> { AsyncStream { $0.finish() } }
    func counters() async -> [EndpointCounters] { [] }
    func stop() async {}
}
#endif
