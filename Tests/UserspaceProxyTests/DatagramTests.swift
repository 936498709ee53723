#if os(Linux)
import DataPlaneContract
import Glibc
import KiadaTesting
import NetTypes
import ServiceRouting
import Testing
import UserspaceProxy

extension UserspacePlaneTests {
    /// UDP: flows, their moves and their end (7.11).
    @Suite(.serialized) struct Datagrams {
        private let servers = ["a", "b"].map { TestServer(.datagrams($0)) }

        @Test(
            "answers return from the frontend's address, large datagrams pass, each client has a flow of its own",
            arguments: PlaneUnderTest.engines)
        func flows(_ engine: UserspaceEngine) async throws {
            let frontend = PlaneUnderTest.freeFrontend(.udp)
            try await PlaneUnderTest.run(on: engine) { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [servers[0].endpoint])]))
                let clients = try (0..<3).map { _ in try Self.client(of: frontend) }
                for (number, client) in clients.enumerated() {
                    client.write([UInt8](repeating: 1, count: 60_000 + number))
                    #expect(client.read() == Array("a \(60_000 + number)".utf8))
                    client.write("again")
                    #expect(client.read() == Array("a 5".utf8))
                }
                let counters = await plane.counters()
                #expect(counters.map(\.connections) == [3])
                #expect(counters.map(\.active) == [3])
                #expect(counters.map(\.bytesToEndpoint) == [180_003 + 15])
            }
        }

        @Test(
            "7.3 a datagram for an endpoint that cannot be reached goes to another one",
            arguments: PlaneUnderTest.engines)
        func unreachable(_ engine: UserspaceEngine) async throws {
            let frontend = PlaneUnderTest.freeFrontend(.udp)
            // No socket may be connected to it without asking for broadcasts.
            let nowhere = SocketEndpoint(address: .v4(IPv4Address(bits: .max)), port: 9)
            try await PlaneUnderTest.run(on: engine) { plane in
                let endpoints = [servers[0].endpoint, nowhere]
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, endpoints)]))
                for _ in 0..<20 {
                    let client = try Self.client(of: frontend)
                    client.write("x")
                    #expect(client.read() == Array("a 1".utf8))
                }
                let failures = await plane.counters().first { $0.endpoint == nowhere }?.dialFailures ?? 0
                #expect(failures > 0)
            }
        }

        @Test(
            "7.3 a client with affinity leaves an endpoint that turns out to be dead", arguments: PlaneUnderTest.engines
        )
        func deadEndpoint(_ engine: UserspaceEngine) async throws {
            let frontend = PlaneUnderTest.freeFrontend(.udp)
            let dead = SocketEndpoint(
                address: PlaneUnderTest.endpointHost, port: PlaneUnderTest.freeFrontend(.udp).address.port)
            let affinity = Duration.seconds(600)
            try await PlaneUnderTest.run(on: engine) { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [dead], affinity: affinity)]))
                let client = try Self.client(of: frontend)
                client.write("lost")
                // The endpoint's "port unreachable" ends the flow; no packet tells the client.
                let hasEnded = await eventually { await plane.counters().allSatisfy { $0.dialFailures == 1 } }
                #expect(hasEnded)
                let endpoints = [dead, servers[1].endpoint]
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, endpoints, affinity: affinity)]))
                let events = plane.connectionEvents(limit: 10)
                client.write("found?")
                for await event in events {
                    #expect(event.reason == .random)
                    break
                }
            }
        }

        @Test(
            "a flow that nothing used for the idle time ends, and the next datagram opens another",
            arguments: PlaneUnderTest.engines)
        func idle(_ engine: UserspaceEngine) async throws {
            let clock = ShiftedClock()
            let frontend = PlaneUnderTest.freeFrontend(.udp)
            var configuration = UserspaceConfiguration()
            configuration.clock = clock.now
            try await PlaneUnderTest.run(on: engine, configuration) { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [servers[0].endpoint])]))
                let client = try Self.client(of: frontend)
                client.write("x")
                #expect(client.read() == Array("a 1".utf8))
                clock.advance(seconds: 20)
                client.write("xy")
                #expect(client.read() == Array("a 2".utf8))
                clock.advance(seconds: 20)
                // The first look wakes the loops, the second sees what they did.
                _ = await plane.counters()
                #expect(await plane.counters().map(\.active) == [1])
                clock.advance(seconds: 60)
                _ = await plane.counters()
                #expect(await plane.counters().map(\.active) == [0])
                client.write("xyz")
                #expect(client.read() == Array("a 3".utf8))
                #expect(await plane.counters().map(\.connections) == [2])
            }
        }

        private static func client(of frontend: Frontend) throws -> TestSocket {
            let client = TestSocket(SOCK_DGRAM)
            try #require(client.connect(to: frontend.address) == 0)
            return client
        }
    }
}
#endif
