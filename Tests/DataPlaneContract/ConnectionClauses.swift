#if os(Linux)
import Glibc
import NetTypes
import ServiceRouting
import Testing

extension ContractClause {
    /// Choice, refusal and silence.
    static let connections = [
        ContractClause("7.3 new connections reach every endpoint, and are counted") { plane in
            let servers = ["a", "b"].map { TestServer(.greet($0)) }
            let frontend = PlaneUnderTest.freeFrontend()
            let problems = await plane.apply(
                PlaneUnderTest.diff([PlaneUnderTest.route(frontend, servers.map(\.endpoint))]))
            #expect(problems.isEmpty)
            var seen: Set<String?> = []
            for _ in 0..<50 { seen.insert(PlaneUnderTest.answer(frontend)) }
            #expect(seen == ["a", "b"])
            #expect(await plane.counters().map(\.connections).reduce(0, +) == 50)
        },
        ContractClause("7.3 an endpoint keeps its count while others come and go") { plane in
            let servers = ["a", "b", "c"].map { TestServer(.greet($0)) }
            let frontend = PlaneUnderTest.freeFrontend()
            for count in [1, 2, 3, 1] {
                let endpoints = servers.prefix(count).map(\.endpoint)
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, endpoints)]))
                for _ in 0..<10 { #expect(PlaneUnderTest.answer(frontend) != nil) }
            }
            let counters = await plane.counters()
            #expect(counters.first { $0.endpoint == servers[0].endpoint }?.connections ?? 0 >= 20)
        },
        ContractClause("7.12 a client's end is passed on and the answer still comes, also for 10 MB") { plane in
            let server = TestServer(.echo)
            let frontend = PlaneUnderTest.freeFrontend()
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
            let body = (0..<10_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let client = TestSocket(SOCK_STREAM)
            #expect(client.connect(to: frontend.address) == 0)
            #expect(client.write(body))
            client.finish()
            #expect(client.readAll() == body)
        },
        ContractClause("7.5 without endpoints the client is refused at once, and served when there is one again") {
            plane in
            let server = TestServer(.greet("a"))
            let frontend = PlaneUnderTest.freeFrontend()
            let route = PlaneUnderTest.route(frontend, [server.endpoint])
            await plane.apply(PlaneUnderTest.diff([route]))
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [])]))
            #expect(TestSocket(SOCK_STREAM).connect(to: frontend.address) == ECONNREFUSED)
            await plane.apply(PlaneUnderTest.diff([route]))
            #expect(PlaneUnderTest.answer(frontend) == "a")
        },
        ContractClause("7.5 a Local policy without an endpoint here leaves the client unanswered") { plane in
            let frontend = PlaneUnderTest.freeFrontend()
            let port = PlaneUnderTest.route(frontend, []).port
            await plane.apply(
                PlaneUnderTest.diff([
                    FrontendRoute(frontend: frontend, kind: .clusterIP, port: port, outside: .drop)
                ]))
            expectSilence(frontend)
        },
        ContractClause("7.5 pods and the node are treated by another verdict than clients from outside") { plane in
            let (near, far) = (TestServer(.greet("near")), TestServer(.greet("far")))
            func verdict(_ server: TestServer) -> Verdict {
                .forward(EndpointList([RoutedEndpoint(address: server.endpoint)]))
            }
            let frontend = PlaneUnderTest.freeFrontend()
            let port = PlaneUnderTest.route(frontend, []).port
            for (range, answer) in [("127.0.0.0/8", "near"), ("10.0.0.0/8", "far")] {
                await plane.apply(
                    PlaneUnderTest.diff([
                        FrontendRoute(
                            frontend: frontend, kind: .loadBalancer, port: port, outside: verdict(far),
                            inside: verdict(near), insideSources: [range].compactMap { CIDR($0) })
                    ]))
                for _ in 0..<5 { #expect(PlaneUnderTest.answer(frontend) == answer) }
            }
        },
        ContractClause("7.5 clients on other nodes get the verdict of the first node that they are on") { plane in
            let servers = ["here", "there", "elsewhere"].map { TestServer(.greet($0)) }
            let verdicts = servers.map { Verdict.forward(EndpointList([RoutedEndpoint(address: $0.endpoint)])) }
            func node(_ range: String, _ verdict: Verdict) -> NodeVerdict {
                NodeVerdict(sources: [range].compactMap { CIDR($0) }, verdict: verdict)
            }
            let frontend = PlaneUnderTest.freeFrontend()
            let port = PlaneUnderTest.route(frontend, []).port
            for (nodes, answer) in [
                ([node("10.0.0.0/8", verdicts[1]), node("127.0.0.0/8", verdicts[2])], "elsewhere"),
                ([node("127.0.0.0/8", verdicts[1]), node("127.0.0.0/16", verdicts[2])], "there"),
                ([node("10.0.0.0/8", verdicts[1])], "here"),
                ([node("127.0.0.0/8", .reject)], nil),
            ] {
                let route = FrontendRoute(
                    frontend: frontend, kind: .clusterIP, port: port, outside: verdicts[0], byNode: nodes)
                await plane.apply(PlaneUnderTest.diff([route]))
                for _ in 0..<5 { #expect(PlaneUnderTest.answer(frontend) == answer) }
            }
        },
        ContractClause("7.9 a source outside the ranges gets no answer and no reset; one inside is served") { plane in
            let server = TestServer(.greet("a"))
            let frontend = PlaneUnderTest.freeFrontend()
            func route(_ ranges: [String]) -> FrontendRoute {
                PlaneUnderTest.route(frontend, [server.endpoint], sources: ranges.compactMap { CIDR($0) })
            }
            await plane.apply(PlaneUnderTest.diff([route(["203.0.113.0/24"])]))
            expectSilence(frontend)
            await plane.apply(PlaneUnderTest.diff([route(["203.0.113.0/24", "127.0.0.0/8", "127.0.0.0/16"])]))
            #expect(PlaneUnderTest.answer(frontend) == "a")
        },
        ContractClause("9 IPv6 frontends are served by IPv6 endpoints") { plane in
            let servers = ["a", "b"].map { TestServer(.greet($0), on: PlaneUnderTest.host6) }
            let frontend = PlaneUnderTest.freeFrontend(on: PlaneUnderTest.host6)
            try #require(frontend.address.port > 0, "this machine has no ::1")
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, servers.map(\.endpoint))]))
            var seen: Set<String?> = []
            for _ in 0..<50 { seen.insert(PlaneUnderTest.answer(frontend)) }
            #expect(seen == ["a", "b"])
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [])]))
            #expect(TestSocket(SOCK_STREAM, .v6).connect(to: frontend.address) == ECONNREFUSED)
        },
    ]

    /// Neither an answer nor a reset within a moment, whether or not the handshake is answered.
    static func expectSilence(_ frontend: Frontend) {
        let client = TestSocket(SOCK_STREAM)
        client.limitWaits(milliseconds: 300)
        let code = client.connect(to: frontend.address)
        #expect(code == 0 || code == EINPROGRESS || code == EAGAIN)
        guard code == 0 else { return }
        client.write("hello")
        #expect(client.read() == nil && errno == EAGAIN)
    }
}
#endif
