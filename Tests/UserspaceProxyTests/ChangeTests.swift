#if os(Linux)
import DataPlaneContract
import Glibc
import NetTypes
import ServiceRouting
import Synchronization
import Testing
import UserspaceProxy

extension UserspacePlaneTests {
    /// Endpoints and frontends that come and go while clients are there.
    @Suite(.serialized) struct Changes {
        @Test(
            "at the connection limit new clients wait, and are served when one leaves",
            arguments: PlaneUnderTest.engines)
        func limit(_ engine: UserspaceEngine) async throws {
            let server = TestServer(.echo)
            let frontend = PlaneUnderTest.freeFrontend()
            var configuration = UserspaceConfiguration()
            configuration.loops = 1
            configuration.maximumConnections = 1
            try await PlaneUnderTest.run(on: engine, configuration) { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
                let first = try await Self.connected(to: frontend, through: plane)
                let second = TestSocket(SOCK_STREAM)
                #expect(second.connect(to: frontend.address) == 0)
                second.write("second")
                second.finish()
                #expect(await plane.counters().map(\.active) == [1])
                #expect(second.peek() == EAGAIN)
                first.finish()
                #expect(first.readAll()?.isEmpty == true)
                #expect(second.readAll() == Array("second".utf8))
            }
        }

        @Test(
            "listeners leave a quarter of the descriptors to connections, which leave some to others",
            arguments: PlaneUnderTest.engines)
        func descriptors(_ engine: UserspaceEngine) async throws {
            let (server, datagrams) = (TestServer(.echo), TestServer(.datagrams("a")))
            let routes = (0..<9).map { _ in PlaneUnderTest.route(PlaneUnderTest.freeFrontend(), [server.endpoint]) }
            let flow = PlaneUnderTest.route(PlaneUnderTest.freeFrontend(.udp), [datagrams.endpoint])
            var configuration = UserspaceConfiguration()
            configuration.loops = 1
            // Nine for this plane: six listen, which leaves one relay and one flow.
            configuration.descriptorLimit = 12
            try await PlaneUnderTest.run(on: engine, configuration) { plane in
                await plane.apply(PlaneUnderTest.diff([flow]))
                let problems = await plane.apply(PlaneUnderTest.diff(routes))
                #expect(problems.count == 4)
                #expect(problems.allSatisfy { $0.cause == .tooManyFrontends(descriptorLimit: 12) })
                let client = TestSocket(SOCK_DGRAM)
                try #require(client.connect(to: flow.frontend.address) == 0)
                client.write("x")
                #expect(client.read() == Array("a 1".utf8))
                let served = routes.map(\.frontend).filter { frontend in
                    !problems.contains { $0.route.frontend == frontend }
                }
                let first = try await Self.connected(to: served[0], through: plane)
                let second = TestSocket(SOCK_STREAM)
                #expect(second.connect(to: served[1].address) == 0)
                second.write("second")
                second.finish()
                #expect(await plane.counters().map(\.active).reduce(0, +) == 2)
                first.finish()
                #expect(first.readAll()?.isEmpty == true)
                #expect(second.readAll() == Array("second".utf8))
                let left = await plane.apply(PlaneUnderTest.diff([], removed: [served[0], served[1]]))
                #expect(left.count == 2)
                // What no endpoint is left of needs no socket, and somebody else gets it with the same change.
                let last = await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(served[2], [])]))
                #expect(last.count == 1)
            }
        }

        /// A client whose connection has been given an endpoint.
        private static func connected(to frontend: Frontend, through plane: UserspacePlane) async throws -> TestSocket {
            let events = plane.connectionEvents(limit: 10)
            let client = TestSocket(SOCK_STREAM)
            try #require(client.connect(to: frontend.address) == 0)
            for await event in events where event.frontend == frontend { break }
            return client
        }
    }
}
#endif
