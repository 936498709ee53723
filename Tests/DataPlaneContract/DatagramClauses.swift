#if os(Linux)
import Glibc
import NetTypes
import ServiceRouting
import Testing

extension ContractClause {
    /// UDP: flows, their moves and their end (7.11).
    static let datagrams = [
        ContractClause("answers return from the frontend's address, large datagrams pass, each client has a flow") {
            plane in
            let server = TestServer(.datagrams("a"))
            let frontend = PlaneUnderTest.freeFrontend(.udp)
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
            for number in 0..<3 {
                let client = try client(of: frontend)
                client.write([UInt8](repeating: 1, count: 60_000 + number))
                #expect(client.read() == Array("a \(60_000 + number)".utf8))
                client.write("again")
                #expect(client.read() == Array("a 5".utf8))
            }
            #expect(await plane.counters().map(\.connections) == [3])
        },
        ContractClause("7.11 a flow moves when its endpoint goes, and not while that still serves") { plane in
            let both = [TestServer(.datagrams("a")), TestServer(.datagrams("b"))]
            let endpoints = both.map(\.endpoint)
            let frontend = PlaneUnderTest.freeFrontend(.udp)
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [endpoints[0]])]))
            let client = try client(of: frontend)
            client.write("x")
            #expect(client.read() == Array("a 1".utf8))
            await plane.apply(
                PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [endpoints[1]], serving: endpoints)]))
            client.write("xy")
            #expect(client.read() == Array("a 2".utf8))
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [endpoints[1]])]))
            client.write("xyz")
            #expect(client.read() == Array("b 3".utf8))
        },
        ContractClause("7.5 without endpoints the port is unreachable; 7.11 from none to one it recovers at once") {
            plane in
            let server = TestServer(.datagrams("a"))
            let frontend = PlaneUnderTest.freeFrontend(.udp)
            let route = PlaneUnderTest.route(frontend, [server.endpoint])
            await plane.apply(PlaneUnderTest.diff([route]))
            let client = try client(of: frontend)
            client.write("x")
            #expect(client.read() == Array("a 1".utf8))
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [])]))
            #expect(client.write("x"))
            #expect(client.read() == nil && errno == ECONNREFUSED)
            await plane.apply(PlaneUnderTest.diff([route]))
            client.write("x")
            #expect(client.read() == Array("a 1".utf8))
        },
    ]

    private static func client(of frontend: Frontend) throws -> TestSocket {
        let client = TestSocket(SOCK_DGRAM)
        try #require(client.connect(to: frontend.address) == 0)
        return client
    }
}
#endif
