import LinuxKernel
import NetTypes
import ServiceRouting
import Testing

@testable import NFTablesProxy

@Suite("Why the kernel chose an endpoint", .enabled(if: NetworkNamespace.rights == nil))
struct ClientMemoryTests {
    private static let client = SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0005)), port: 40_000)
    private static let frontend = Frontend(SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F60_0001)), port: 80), .tcp)
    private static let endpoints = (1...3).map {
        SocketEndpoint(address: .v4(IPv4Address(bits: 0x7FF4_0000 + $0)), port: 8080)
    }

    private static func route(_ list: EndpointList, affinity: Duration? = nil) -> FrontendRoute {
        FrontendRoute(
            frontend: frontend, kind: .clusterIP,
            port: ServicePortID(service: ServiceID(namespace: "kiada", name: "quote"), portName: "http", proto: .tcp),
            outside: .forward(list), affinity: affinity)
    }

    private static func list(_ count: Int) -> EndpointList {
        EndpointList(endpoints.prefix(count).map { RoutedEndpoint(address: $0) })
    }

    /// A connection of `client`, as the kernel tells of it.
    private static func connection(to endpoint: SocketEndpoint, mark: UInt32) throws -> Connection {
        func tuple(_ type: UInt16, _ source: SocketEndpoint, _ target: SocketEndpoint, _ message: inout NetlinkMessage)
        {
            func port(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
            message.nested(type) { message in
                message.nested(1) { message in
                    message.attribute(1, source.address.octets)
                    message.attribute(2, target.address.octets)
                }
                message.nested(2) { message in
                    message.attribute(1, [6])
                    message.attribute(2, port(source.port))
                    message.attribute(3, port(target.port))
                }
            }
        }
        var message = NetlinkMessage()
        message.begin(type: 0, flags: 0, sequence: 0, header: [2, 0, 0, 0])
        tuple(1, client, frontend.address, &message)
        tuple(2, endpoint, client, &message)
        message.attribute(8, mark)
        message.end()
        return try #require(Connection(message.bytes[16...]))
    }

    @Test("without affinity: at random, or because there is no other")
    func withoutAffinity() throws {
        var memory = ClientMemory()
        let connection = try Self.connection(to: Self.endpoints[0], mark: Ruleset.mark)
        for (count, reason) in [(1, ChoiceReason.onlyReadyEndpoint), (3, .random), (3, .random)] {
            let event = memory.event(connection, route: Self.route(Self.list(count)), now: 5)
            #expect(event.reason == reason)
            #expect(event.client == Self.client && event.frontend == Self.frontend)
            #expect(event.endpoint.address == Self.endpoints[0])
        }
    }

    @Test("7.7 a client that comes back in time has what was left; one that is late, or was moved, has not")
    func affinity() throws {
        var memory = ClientMemory()
        let mark = Ruleset.firstMark(instance: 1)
        let route = Self.route(Self.list(3), affinity: .seconds(10))
        let turns: [(UInt64, Int, ChoiceReason)] = [
            (1_000, 0, .random), (4_000, 0, .affinity(left: .seconds(7))),
            (13_999, 0, .affinity(left: .milliseconds(1))),
            (23_999, 0, .random), (24_000, 1, .random), (25_000, 1, .affinity(left: .seconds(9))),
        ]
        for (now, place, reason) in turns {
            let connection = try Self.connection(to: Self.endpoints[place], mark: mark)
            #expect(memory.event(connection, route: route, now: now).reason == reason)
        }
        // Another Service port has other clients.
        let other = try Self.connection(to: Self.endpoints[1], mark: mark + 1)
        #expect(memory.event(other, route: route, now: 25_001).reason == .random)
    }

    @Test("whom the kernel knew before anybody listened counts too, up to the capacity")
    func remembered() throws {
        var memory = ClientMemory(capacity: 2)
        let mark = Ruleset.firstMark(instance: 1)
        let route = Self.route(Self.list(3), affinity: .seconds(10))
        memory.remember(Self.client.address, mark, at: Self.endpoints[2], until: 9_000)
        let connection = try Self.connection(to: Self.endpoints[2], mark: mark)
        #expect(memory.event(connection, route: route, now: 2_000).reason == .affinity(left: .seconds(7)))
        for number in 1...5 {
            memory.remember(.v4(IPv4Address(bits: 0x0A00_0000 + UInt32(number))), mark, at: Self.endpoints[0], until: 1)
        }
        #expect(memory.count == 2)
    }
}
