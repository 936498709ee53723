import ClusterDNS
import ClusterModel
import ClusterStore
import DNSClient
import DNSWire
import Logging
import NIOCore
import NIOPosix
import NetTypes
import Testing

@Suite("The name server on its sockets", .timeLimit(.minutes(1)))
struct ServerTests {
    private static let loopback = SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 0)
    private let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

    /// Runs `body` with a server for `zone` that forwards to `upstreams`.
    private func withServer(
        _ zone: Zone, upstreams: [SocketEndpoint] = [], idle: TimeAmount = .seconds(10), connections: Int = 256,
        metrics: DNSMetrics = DNSMetrics(), _ body: (SocketEndpoint) async throws -> Void
    ) async throws {
        let responder = Responder(
            zone: ZoneHolder(zone), forwarder: Forwarder(upstreams: upstreams, timeout: .milliseconds(300)),
            metrics: metrics)
        let settings = DNSServerSettings(
            endpoints: [Self.loopback], socketsPerEndpoint: 2, connectionLimit: connections, idleTimeout: idle)
        let server = try await DNSServer.start(settings, responder: responder)
        do { try await body(server.endpoints[0]) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func ask(
        _ server: SocketEndpoint, _ name: String, _ type: RecordType, _ transport: DNSExchange.Transport = .udp,
        edns: EDNS? = nil
    ) async throws -> Message {
        let query = Message(id: .random(in: 0 ... .max), query: Question(try #require(Name(name)), type), edns: edns)
        return try await send(query.encoded(), server, transport)
    }

    private func send(
        _ query: [UInt8], _ server: SocketEndpoint, _ transport: DNSExchange.Transport = .udp
    ) async throws -> Message {
        let future = DNSExchange.send(query, to: server, over: transport, timeout: .seconds(5), on: loop)
        return try Message(decoding: try await future.get())
    }

    /// A headless Service with 60 pods, and others as in the fixture.
    private func bigCluster() -> ClusterFixture {
        var cluster = ClusterFixture()
        cluster.add(ClusterFixture.service("sixty", ips: ["None"], ports: []))
        let pods = (1...60).map { ("10.244.7.\($0)", true, String?.none) }
        cluster.add(ClusterFixture.slice("sixty", "s1", [], pods))
        return cluster
    }

    @Test("A query over UDP and over TCP gets the same answer, with AA and the query's spelling")
    func bothTransports() async throws {
        try await withServer(ClusterFixture().zone) { (server: SocketEndpoint) async throws in
            for transport in [DNSExchange.Transport.udp, .tcp] {
                let reply = try await ask(server, "QuoTE.kiada.svc.cluster.local", .a, transport)
                #expect(ClusterFixture.words(reply.answers) == "10.96.74.151")
                #expect(reply.isAuthoritative && reply.isResponse && reply.edns == nil)
                #expect(reply.answers[0].name.description == "QuoTE.kiada.svc.cluster.local.")
            }
        }
    }

    @Test("6.11 [V] sixty pods: 512 octets of UDP are truncated, EDNS with room and TCP are whole; OPT is echoed")
    func truncation() async throws {
        try await withServer(bigCluster().zone) { (server: SocketEndpoint) async throws in
            let name = "sixty.kiada.svc.cluster.local"
            let small = try await ask(server, name, .a)
            #expect(small.isTruncated && small.answers.count < 60 && !small.answers.isEmpty)
            let large = try await ask(server, name, .a, edns: EDNS(udpPayloadSize: 4096, isDNSSECOK: true))
            #expect(!large.isTruncated && large.answers.count == 60 && large.edns?.isDNSSECOK == true)
            let tiny = try await ask(server, name, .a, edns: EDNS(udpPayloadSize: 100))
            #expect(tiny.answers.count > 20)
            #expect(try await ask(server, name, .a, .tcp).answers.count == 60)
        }
    }

    @Test("6.9 the order of addresses changes from answer to answer")
    func shuffle() async throws {
        try await withServer(bigCluster().zone) { (server: SocketEndpoint) async throws in
            let first = try await ask(server, "sixty.kiada.svc.cluster.local", .a, .tcp)
            let second = try await ask(server, "sixty.kiada.svc.cluster.local", .a, .tcp)
            #expect(first.answers != second.answers && Set(first.answers) == Set(second.answers))
        }
    }

    @Test("Broken queries get FORMERR, other opcodes NOTIMP, other EDNS versions BADVERS; the server lives on")
    func badQueries() async throws {
        try await withServer(ClusterFixture().zone) { (server: SocketEndpoint) async throws in
            let query = Message(
                id: 7, query: Question(try #require(Name("quiz.kiada.svc.cluster.local")), .a),
                edns: EDNS(udpPayloadSize: 1232, version: 1))
            #expect(try await send(query.encoded(), server).code == .badVersion)
            var opcode = query
            opcode.edns = nil
            opcode.opcode = 5
            #expect(try await send(opcode.encoded(), server).code == .notImplemented)
            var trailing = query
            trailing.edns = nil
            #expect(try await send(trailing.encoded() + [0], server).code == .formatError)
            #expect(try await ask(server, "quiz.kiada.svc.cluster.local", .a).code == .noError)
        }
    }

    @Test("RFC 7766: many queries on one TCP connection, in any cut, are all answered")
    func pipelining() async throws {
        try await withServer(ClusterFixture().zone) { (server: SocketEndpoint) async throws in
            var bytes: [UInt8] = []
            for id in 1...50 {
                let query = Message(
                    id: UInt16(id), query: Question(try #require(Name("quiz.kiada.svc.cluster.local")), .a)
                ).encoded()
                bytes += [UInt8(query.count >> 8), UInt8(query.count & 255)] + query
            }
            let collector = TCPCollector()
            let channel = try await collector.connect(to: server)
            for part in [bytes[..<1], bytes[1..<40], bytes[40...]] {
                try await channel.writeAndFlush(ByteBuffer(bytes: part))
            }
            // Half-closing says that this was all; the server answers everything and closes.
            try await channel.close(mode: .output)
            let received = try await collector.finished.get()
            var ids: Set<UInt16> = []
            var offset = 0
            while offset + 2 <= received.count {
                let length = Int(received[offset]) << 8 | Int(received[offset + 1])
                ids.insert(try Message(decoding: received[(offset + 2)..<(offset + 2 + length)]).id)
                offset += 2 + length
            }
            #expect(ids == Set(1...50))
        }
    }

    @Test("An idle TCP connection is closed, and so is one more than there may be")
    func connectionLimits() async throws {
        try await withServer(ClusterFixture().zone, idle: .milliseconds(200), connections: 1) {
            (server: SocketEndpoint) async throws in
            let (first, second) = (TCPCollector(), TCPCollector())
            _ = try await first.connect(to: server)
            _ = try? await second.connect(to: server)
            #expect((try? await second.finished.get())?.isEmpty ?? true)
            #expect((try? await first.finished.get())?.isEmpty ?? true)
            #expect(try await ask(server, "quiz.kiada.svc.cluster.local", .a, .tcp).code == .noError)
        }
    }

    @Test(
        "6.10 other names go upstream over the client's transport and come from the cache the second time; 6.5 so do aliases"
    )
    func forwarding() async throws {
        var outer = ClusterFixture(ZoneSettings(domain: try #require(Name("example.org"))))
        outer.add(ClusterFixture.service("web", ips: ["93.184.216.34"], ports: []))
        let counted = DNSMetrics()
        try await withServer(outer.zone, metrics: counted) { (upstream: SocketEndpoint) async throws in
            var inner = ClusterFixture()
            inner.add(ClusterFixture.external("ext", "web.kiada.svc.example.org"))
            inner.add(ClusterFixture.external("ext-gone", "gone.kiada.svc.example.org"))
            try await withServer(inner.zone, upstreams: [upstream]) { (server: SocketEndpoint) async throws in
                for transport in [DNSExchange.Transport.udp, .tcp] {
                    for name in ["web.kiada.svc.example.org", "WEB.kiada.svc.example.org"] {
                        let reply = try await ask(server, name, .a, transport)
                        #expect(ClusterFixture.words(reply.answers) == "93.184.216.34")
                        #expect(reply.questions[0].name.description == name + ".")
                    }
                }
                // Without the probes for loops, which are of another type.
                let asked = { counted.queries.filter { $0.key.type == "A" }.values.reduce(0, +) }
                #expect(asked() == 2)
                #expect(try await ask(server, "gone.kiada.svc.example.org", .a).code == .nameError)
                #expect(try await ask(server, "gone.kiada.svc.example.org", .a).code == .nameError)
                #expect(asked() == 3)
                let alias = try await ask(server, "ext.kiada.svc.cluster.local", .a)
                #expect(ClusterFixture.words(alias.answers) == "93.184.216.34 web.kiada.svc.example.org.")
                let bare = try await ask(server, "ext-gone.kiada.svc.cluster.local", .a)
                #expect(bare.code == .noError && ClusterFixture.words(bare.answers) == "gone.kiada.svc.example.org.")
            }
        }
    }

    @Test(
        "6.10 a dead upstream is passed over; without a living one it is SERVFAIL, and an alias is NODATA without CNAME"
    )
    func deadUpstreams() async throws {
        let domain = try #require(Name("example.org"))
        var gone = Self.loopback
        try await withServer(ClusterFixture().zone) { (server: SocketEndpoint) async throws in gone = server }
        let dead = gone
        try await withServer(ClusterFixture(ZoneSettings(domain: domain)).zone) {
            (upstream: SocketEndpoint) async throws in
            try await withServer(ClusterFixture().zone, upstreams: [dead, upstream]) {
                (server: SocketEndpoint) async throws in
                for index in 1...4 {
                    let reply = try await ask(server, "10-0-0-\(index).kiada.pod.example.org", .a)
                    #expect(ClusterFixture.words(reply.answers) == "10.0.0.\(index)")
                }
            }
        }
        try await withServer(ClusterFixture().zone, upstreams: [dead]) { (server: SocketEndpoint) async throws in
            #expect(try await ask(server, "www.example.org", .a).code == .serverFailure)
            let alias = try await ask(server, "time-api.kiada.svc.cluster.local", .a)
            #expect(alias.code == .noError && alias.answers.isEmpty && alias.authorities.count == 1)
        }
        try await withServer(ClusterFixture().zone) { (server: SocketEndpoint) async throws in
            #expect(try await ask(server, "www.example.org", .a).code == .serverFailure)
        }
    }

    @Test("The zone follows the store, from what was in it to what comes later, until its task ends")
    func store() async throws {
        let store = Store(admission: OpenAdmission(), source: SystemStoreSource { 0 })
        _ = try store.create(KubeObject(.namespaces, name: "kiada"))
        _ = try store.create(ClusterFixture.service("quote", ips: ["10.96.0.7"], ports: []))
        let dns = try await ClusterDNS.start(
            store: store, zone: ZoneSettings(), server: DNSServerSettings(endpoints: [Self.loopback]), upstreams: [],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { 1 })
        let server = dns.endpoints[0]
        #expect(try await ask(server, "quote.kiada.svc.cluster.local", .a).code == .serverFailure)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await dns.run() }
            var reply = try await ask(server, "quote.kiada.svc.cluster.local", .a)
            while reply.code == .serverFailure { reply = try await ask(server, "quote.kiada.svc.cluster.local", .a) }
            #expect(ClusterFixture.words(reply.answers) == "10.96.0.7")
            _ = try store.create(ClusterFixture.service("later", ips: ["10.96.0.8"], ports: []))
            reply = try await ask(server, "later.kiada.svc.cluster.local", .a)
            while reply.code == .nameError { reply = try await ask(server, "later.kiada.svc.cluster.local", .a) }
            #expect(ClusterFixture.words(reply.answers) == "10.96.0.8")
            group.cancelAll()
            try await group.waitForAll()
        }
        await #expect(throws: (any Error).self) {
            _ = try await DNSExchange.send(
                Message(id: 1, query: Question(.root, .ns)).encoded(), to: server, over: .tcp, timeout: .seconds(1),
                on: loop
            ).get()
        }
    }
}

/// A TCP client that keeps all that it is sent until the server closes.
private final class TCPCollector: Sendable {
    private let promise: EventLoopPromise<[UInt8]>
    private let group = MultiThreadedEventLoopGroup.singleton
    var finished: EventLoopFuture<[UInt8]> { promise.futureResult }

    init() { promise = group.next().makePromise() }

    func connect(to server: SocketEndpoint) async throws -> any Channel {
        let promise = promise
        return try await ClientBootstrap(group: group)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collecting(promise))
                }
            }
            .connect(host: "\(server.address)", port: Int(server.port)).get()
    }

    private final class Collecting: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<[UInt8]>
        private var bytes: [UInt8] = []

        init(_ promise: EventLoopPromise<[UInt8]>) { self.promise = promise }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += unwrapInboundIn(data).readableBytesView
        }
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed = event { promise.succeed(bytes) }
        }
        func channelInactive(context: ChannelHandlerContext) { promise.succeed(bytes) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
    }
}
