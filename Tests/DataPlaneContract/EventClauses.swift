#if os(Linux)
import Glibc
import NetTypes
import ServiceRouting
import Testing

extension ContractClause {
    /// What a plane tells of new connections while somebody reads.
    static let events =
        [TransportProtocol.tcp, .udp].map { proto in
            ContractClause("an event says who connected, to which Service, to which endpoint and why, \(proto)") {
                plane in
                let answer: TestServer.Behaviour = proto == .tcp ? .greet("a") : .datagrams("a")
                let servers = [TestServer(answer), TestServer(answer)]
                let frontends = [PlaneUnderTest.freeFrontend(proto), PlaneUnderTest.freeFrontend(proto)]
                let routes = [
                    PlaneUnderTest.route(frontends[0], [servers[0].endpoint]),
                    PlaneUnderTest.route(frontends[1], servers.map(\.endpoint)),
                ]
                await plane.apply(PlaneUnderTest.diff(routes))
                // Nobody reads yet: of this one nothing is told.
                try connect(to: frontends[0])
                let events = plane.connectionEvents(limit: 10)
                let clients = [try connect(to: frontends[0]), try connect(to: frontends[1])]
                await plane.stop()
                var seen: [ConnectionEvent] = []
                for await event in events { seen.append(event) }
                #expect(seen.map(\.client.port) == clients)
                #expect(seen.map(\.frontend) == frontends)
                #expect(seen.map(\.port) == routes.map(\.port))
                #expect(seen.map(\.reason) == [.onlyReadyEndpoint, .random])
                #expect(seen.first?.endpoint.address == servers[0].endpoint)
                #expect(seen.last.map { servers.map(\.endpoint).contains($0.endpoint.address) } == true)
            }
        } + [
            ContractClause("7.7 an event tells that a client came back to its endpoint, and what its time had left") {
                plane in
                let servers = ["a", "b", "c"].map { TestServer(.greet($0)) }
                let frontend = PlaneUnderTest.freeFrontend()
                await plane.apply(
                    PlaneUnderTest.diff([
                        PlaneUnderTest.route(frontend, servers.map(\.endpoint), affinity: .seconds(600))
                    ]))
                // Also when it had come before anybody read.
                for isFirst in [true, false] {
                    let events = plane.connectionEvents(limit: 10)
                    for _ in 0..<2 { try connect(to: frontend) }
                    var reasons: [ChoiceReason] = []
                    for await event in events {
                        reasons.append(event.reason)
                        if reasons.count == 2 { break }
                    }
                    if isFirst { #expect(reasons.first == .random) }
                    for reason in isFirst ? reasons.dropFirst() : reasons[...] {
                        guard case .affinity(let left) = reason else {
                            Issue.record("chosen by \(reason)")
                            continue
                        }
                        #expect(left <= .seconds(600) && left > .seconds(500))
                    }
                }
            }
        ]

    /// A connection, or a flow, until its first answer.
    ///
    /// - Returns: the client's port.
    @discardableResult
    private static func connect(to frontend: Frontend) throws -> UInt16 {
        let client = TestSocket(frontend.proto == .tcp ? SOCK_STREAM : SOCK_DGRAM)
        // The socket plane looks on before the kernel gives a client its port, unless it has one already.
        #expect(client.bind(to: SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 0)) == 0)
        try #require(client.connect(to: frontend.address) == 0)
        if frontend.proto == .tcp {
            #expect(client.readAll() != nil)
        } else {
            client.write("x")
            #expect(client.read() == Array("a 1".utf8))
        }
        return client.localPort
    }
}
#endif
