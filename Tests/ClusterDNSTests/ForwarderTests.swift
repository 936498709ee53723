import ClusterDNS
import DNSClient
import DNSWire
import NIOCore
import NIOPosix
import NetTypes
import Synchronization
import Testing

@Suite("6.10 the way to the upstream servers", .timeLimit(.minutes(1)))
struct ForwarderTests {
    private let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

    private static func endpoint(_ text: String) throws -> SocketEndpoint { try #require(SocketEndpoint(text)) }

    /// Runs `body` with a server for `zone` at `endpoint`.
    private func withServer(
        at endpoint: SocketEndpoint, _ zone: Zone, _ forwarder: Forwarder, _ metrics: DNSMetrics,
        _ body: (SocketEndpoint) async throws -> Void
    ) async throws {
        let server = try await DNSServer.start(
            DNSServerSettings(endpoints: [endpoint]),
            responder: Responder(zone: ZoneHolder(zone), forwarder: forwarder, metrics: metrics))
        do { try await body(server.endpoints[0]) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func query(_ name: String, _ type: RecordType = .a) throws -> [UInt8] {
        Message(id: .random(in: 0 ... .max), query: Question(try #require(Name(name)), type)).encoded()
    }

    private func asked(_ metrics: DNSMetrics) -> UInt64 {
        metrics.queries.filter { $0.key.type == "A" }.values.reduce(0, +)
    }

    /// Runs `body` with a forwarder to a server that echoes addresses of pods, and what that server has been asked.
    private func withForwarder(
        cacheLimit: Int, _ body: (Forwarder, DNSMetrics, ShiftedInstant) async throws -> Void
    ) async throws {
        let metrics = DNSMetrics()
        let clock = ShiftedInstant()
        let zone = ClusterFixture(ZoneSettings(domain: try #require(Name("example.org")))).zone
        try await withServer(
            at: try Self.endpoint("127.0.0.1:0"), zone, Forwarder(upstreams: []), metrics
        ) { (upstream: SocketEndpoint) async throws in
            let forwarder = Forwarder(upstreams: [upstream], cacheLimit: cacheLimit, now: { clock.now })
            try await body(forwarder, metrics, clock)
        }
    }

    @Test("A reply is kept for its TTL, which runs down meanwhile, and not longer")
    func ttl() async throws {
        try await withForwarder(cacheLimit: 10) {
            (forwarder: Forwarder, metrics: DNSMetrics, clock: ShiftedInstant) async throws in
            func ttl() async throws -> UInt32? {
                let reply = try await forwarder.ask(
                    query("10-0-0-1.kiada.pod.example.org"), over: .udp, on: loop
                ).get()
                return try reply.map { try Message(decoding: $0) }?.answers.first?.ttl
            }
            #expect(try await ttl() == 5)
            clock.advance(by: .seconds(3))
            #expect(try await ttl() == 2)
            #expect(asked(metrics) == 1 && forwarder.cacheHits == 1)
            clock.advance(by: .milliseconds(1_999))
            #expect(try await ttl() == 1)
            clock.advance(by: .milliseconds(1))
            #expect(try await ttl() == 5)
            #expect(asked(metrics) == 2 && forwarder.cacheHits == 2)
        }
    }

    @Test("No more replies are kept than there may be; the one that would end first goes")
    func bound() async throws {
        try await withForwarder(cacheLimit: 3) {
            (forwarder: Forwarder, metrics: DNSMetrics, clock: ShiftedInstant) async throws in
            for number in 1...4 {
                _ = try await forwarder.ask(
                    query("10-0-0-\(number).kiada.pod.example.org"), over: .udp, on: loop
                ).get()
                clock.advance(by: .milliseconds(100))
            }
            #expect(asked(metrics) == 4)
            for number in 2...4 {
                _ = try await forwarder.ask(
                    query("10-0-0-\(number).kiada.pod.example.org"), over: .udp, on: loop
                ).get()
            }
            #expect(asked(metrics) == 4 && forwarder.cacheHits == 3)
            _ = try await forwarder.ask(query("10-0-0-1.kiada.pod.example.org"), over: .udp, on: loop).get()
            #expect(asked(metrics) == 5)
        }
    }

    @Test("Options such as cookies go no further, so that dig too gets what is kept; id, spelling and size are its own")
    func options() async throws {
        try await withForwarder(cacheLimit: 10) {
            (forwarder: Forwarder, metrics: DNSMetrics, _: ShiftedInstant) async throws in
            let here = try Self.endpoint("127.0.0.1:0")
            try await withServer(at: here, ClusterFixture().zone, forwarder, DNSMetrics()) {
                (server: SocketEndpoint) async throws in
                for (id, name) in [
                    (UInt16(7), "10-0-0-1.kiada.pod.example.org"), (8, "10-0-0-1.KIADA.pod.example.org"),
                ] {
                    let cookie = EDNS.Option(code: 10, data: (0..<8).map { _ in .random(in: 0 ... .max) })
                    let query = Message(
                        id: id, query: Question(try #require(Name(name)), .a),
                        edns: EDNS(udpPayloadSize: 1232, options: [cookie]))
                    let bytes = try await DNSExchange.send(
                        query.encoded(), to: server, over: .udp, timeout: .seconds(5), on: loop
                    ).get()
                    let reply = try Message(decoding: bytes)
                    #expect(reply.id == id && reply.edns?.options == [])
                    #expect(ClusterFixture.words(reply.answers) == "10.0.0.1")
                    #expect(reply.questions.first?.name.description == name + ".")
                }
            }
            #expect(asked(metrics) == 1 && forwarder.cacheHits == 1)
        }
    }

    @Test("Servers that send queries back here are found out and left out; nothing goes round in circles")
    func loops() async throws {
        let (here, there) = (try Self.endpoint("127.203.4.1:5301"), try Self.endpoint("127.203.4.2:5301"))
        let (hereAsked, thereAsked) = (DNSMetrics(), DNSMetrics())
        let found = Mutex<[SocketEndpoint]>([])
        let outer = ClusterFixture(ZoneSettings(domain: try #require(Name("example.org")))).zone
        let forwarder = Forwarder(upstreams: [there], onLoop: { server in found.withLock { $0.append(server) } })
        try await withServer(at: there, outer, Forwarder(upstreams: [here]), thereAsked) {
            (_: SocketEndpoint) async throws in
            try await withServer(at: here, ClusterFixture().zone, forwarder, hereAsked) {
                (_: SocketEndpoint) async throws in
                func code() async throws -> ResponseCode {
                    let reply = try await DNSExchange.send(
                        query("www.nowhere.test"), to: here, over: .udp, timeout: .seconds(10), on: loop
                    ).get()
                    return try Message(decoding: reply).code
                }
                #expect(try await code() == .serverFailure)
                #expect(found.withLock { $0 } == [there])
                let before = asked(thereAsked)
                #expect(try await code() == .serverFailure)
                #expect(asked(thereAsked) == before && asked(hereAsked) < 500)
                // Its own names it still gives.
                let own = try await DNSExchange.send(
                    query("quiz.kiada.svc.cluster.local"), to: here, over: .udp, timeout: .seconds(5), on: loop
                ).get()
                #expect(ClusterFixture.words(try Message(decoding: own).answers) == "10.96.0.20")
            }
        }
    }
}

/// A moment that tests move.
final class ShiftedInstant: Sendable {
    private let moment = Mutex(ContinuousClock.now)
    var now: ContinuousClock.Instant { moment.withLock { $0 } }
    func advance(by duration: Duration) { moment.withLock { $0 += duration } }
}
