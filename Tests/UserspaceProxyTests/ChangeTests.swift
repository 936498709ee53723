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
