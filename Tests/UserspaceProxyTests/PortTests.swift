#if os(Linux)
import Glibc
import NetTypes
import ServiceRouting
import Testing
import UserspaceProxy

extension DataPlaneContract {
    /// Who has a port, and what is left of it.
    @Suite(.serialized) struct Ports {
        private let server = TestServer(.greet("a"))

        @Test("a port in use is reported with its holder, stops nothing else, and is tried again")
        func inUse() async throws {
            let taken = PlaneUnderTest.freeFrontend()
            var holder: TestSocket? = TestSocket(SOCK_STREAM)
            try #require(holder?.bind(to: taken.address) == 0)
            if let holder { try #require(listen(holder.descriptor, 1) == 0) }
            let free = PlaneUnderTest.freeFrontend()
            try await PlaneUnderTest.run { plane in
                let routes = [taken, free].map { PlaneUnderTest.route($0, [server.endpoint]) }
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
            }
        }

        @Test("TCP and UDP may have the same number")
        func sameNumber() async throws {
            let tcp = PlaneUnderTest.freeFrontend()
            let udp = Frontend(tcp.address, .udp)
            let datagrams = TestServer(.datagrams("b"))
            try await PlaneUnderTest.run { plane in
                let problems = await plane.apply(
                    PlaneUnderTest.diff([
                        PlaneUnderTest.route(tcp, [server.endpoint]),
                        PlaneUnderTest.route(udp, [datagrams.endpoint]),
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
            }
        }

        @Test("after stop() nothing listens, established connections are reset, and the port is free")
        func stops() async throws {
            let echo = TestServer(.echo)
            let frontend = PlaneUnderTest.freeFrontend()
            let udp = Frontend(frontend.address, .udp)
            let client = TestSocket(SOCK_STREAM)
            try await PlaneUnderTest.run { plane in
                await plane.apply(
                    PlaneUnderTest.diff([frontend, udp].map { PlaneUnderTest.route($0, [echo.endpoint]) }))
                let events = plane.connectionEvents(limit: 10)
                #expect(client.connect(to: frontend.address) == 0)
                for await _ in events { break }
            }
            #expect(client.read() == nil && errno == ECONNRESET)
            #expect(TestSocket(SOCK_STREAM).connect(to: frontend.address) == ECONNREFUSED)
            for proto in [frontend, udp] { #expect(PortHolder.name(of: proto) == nil) }
            #expect(TestSocket(SOCK_STREAM).bind(to: frontend.address) == 0)
            #expect(TestSocket(SOCK_DGRAM).bind(to: frontend.address) == 0)
        }
    }
}
#endif
