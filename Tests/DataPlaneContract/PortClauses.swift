#if os(Linux)
import Glibc
import NetTypes
import ServiceRouting
import Testing

extension ContractClause {
    /// Who has a port, and what is left of it.
    static let ports = [
        ContractClause("a port of this machine in use is reported with its holder, stops nothing else, is tried again")
        {
            plane in
            let server = TestServer(.greet("a"))
            let taken = PlaneUnderTest.freeFrontend()
            var holder: TestSocket? = TestSocket(SOCK_STREAM)
            try #require(holder?.bind(to: taken.address) == 0)
            if let holder { try #require(listen(holder.descriptor, 1) == 0) }
            let free = PlaneUnderTest.freeFrontend()
            let routes = [taken, free].map { PlaneUnderTest.route($0, [server.endpoint], kind: .localhost) }
            let problems = await plane.apply(PlaneUnderTest.diff(routes))
            #expect(problems.map(\.route.frontend) == [taken])
            guard case .inUse(let name?)? = problems.first?.cause else {
                Issue.record("\(problems)")
                return
            }
            #expect(name.contains("(process \(getpid()))"))
            #expect(PlaneUnderTest.answer(free) == "a")
            holder = nil
            let left = await plane.apply(RoutingDiff())
            #expect(left.isEmpty)
            #expect(PlaneUnderTest.answer(taken) == "a")
        },
        ContractClause("TCP and UDP may have the same number") { plane in
            let server = TestServer(.greet("a"))
            let datagrams = TestServer(.datagrams("b"))
            let tcp = PlaneUnderTest.freeFrontend()
            let udp = Frontend(tcp.address, .udp)
            let problems = await plane.apply(
                PlaneUnderTest.diff([
                    PlaneUnderTest.route(tcp, [server.endpoint]), PlaneUnderTest.route(udp, [datagrams.endpoint]),
                ]))
            #expect(problems.isEmpty)
            #expect(PlaneUnderTest.answer(tcp) == "a")
            let client = TestSocket(SOCK_DGRAM)
            #expect(client.connect(to: udp.address) == 0)
            client.write("x")
            #expect(client.read() == Array("b 1".utf8))
            await plane.apply(PlaneUnderTest.diff([], removed: [tcp]))
            client.write("xy")
            #expect(client.read() == Array("b 2".utf8))
        },
        ContractClause("after stop() nothing answers, the port is free, and a second stop() does nothing") { plane in
            let server = TestServer(.greet("a"))
            let frontend = PlaneUnderTest.freeFrontend()
            let udp = Frontend(frontend.address, .udp)
            await plane.apply(
                PlaneUnderTest.diff(
                    [frontend, udp].map { PlaneUnderTest.route($0, [server.endpoint], kind: .localhost) }))
            #expect(PlaneUnderTest.answer(frontend) == "a")
            await plane.stop()
            #expect(TestSocket(SOCK_STREAM).connect(to: frontend.address) == ECONNREFUSED)
            #expect(TestSocket(SOCK_STREAM).bind(to: frontend.address, besidesEndedConnections: true) == 0)
            #expect(TestSocket(SOCK_DGRAM).bind(to: frontend.address) == 0)
            await plane.stop()
            let problems = await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
            #expect(problems.isEmpty)
            #expect(TestSocket(SOCK_STREAM).connect(to: frontend.address) == ECONNREFUSED)
        },
    ]
}
#endif
