#if os(Linux)
import DataPlaneContract
import Glibc
import LocalPorts
import NetTypes
import ServiceRouting
import Testing
import UserspaceProxy

extension UserspacePlaneTests {
    /// Who has a port, and what is left of it.
    @Suite(.serialized) struct Ports {
        private let server = TestServer(.greet("a"))

        @Test(
            "after stop() nothing listens, established connections are reset, and the port is free",
            arguments: PlaneUnderTest.engines)
        func stops(_ engine: UserspaceEngine) async throws {
            let echo = TestServer(.echo)
            let frontend = PlaneUnderTest.freeFrontend()
            let udp = Frontend(frontend.address, .udp)
            let client = TestSocket(SOCK_STREAM)
            try await PlaneUnderTest.run(on: engine) { plane in
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
