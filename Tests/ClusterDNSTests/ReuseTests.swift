import ClusterDNS
import ClusterModel
import DNSClient
import DNSWire
import KiadaTesting
import Logging
import NIOCore
import NIOPosix
import NetTypes
import Synchronization
import Testing

/// Replies that are given again as bytes must be those that the zone would give.
@Suite("Prepared replies, metrics and the query log", .timeLimit(.minutes(1)))
struct ReuseTests {
    private static let loopback = SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 0)
    private let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

    /// A server over a zone that the test changes.
    private struct Running {
        var holder: ZoneHolder
        var metrics: DNSMetrics
        var server: SocketEndpoint
    }

    private func withServer(
        _ cluster: ClusterFixture = ClusterFixture(), log: Logger? = nil, at endpoint: SocketEndpoint = Self.loopback,
        _ body: (Running) async throws -> Void
    ) async throws {
        let holder = ZoneHolder(cluster.zone)
        let metrics = DNSMetrics()
        let responder = Responder(
            zone: holder, forwarder: Forwarder(upstreams: []), metrics: metrics, queryLog: log)
        let server = try await DNSServer.start(DNSServerSettings(endpoints: [endpoint]), responder: responder)
        do { try await body(Running(holder: holder, metrics: metrics, server: server.endpoints[0])) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func ask(
        _ running: Running, _ name: String, _ type: RecordType, _ transport: DNSExchange.Transport = .udp,
        edns: EDNS? = nil
    ) async throws -> Message {
        let query = Message(id: .random(in: 0 ... .max), query: Question(try #require(Name(name)), type), edns: edns)
        let reply = try await DNSExchange.send(
            query.encoded(), to: running.server, over: transport, timeout: .seconds(5), on: loop
        ).get()
        return try Message(decoding: reply)
    }

    @Test(
        "A reply given again differs from the zone's own in nothing but id and spelling",
        arguments: [
            ("quote.kiada.svc.cluster.local", RecordType.a), ("quote.kiada.svc.cluster.local", .aaaa),
            ("quote.kiada.svc.cluster.local", .srv), ("quote.kiada.svc.cluster.local", .mx),
            ("_http._tcp.quote.kiada.svc.cluster.local", .srv), ("dual.kiada.svc.cluster.local", .aaaa),
            ("kube-dns.kube-system.svc.cluster.local", .srv), ("quote1.quote-headless.kiada.svc.cluster.local", .a),
            ("gone.kiada.svc.cluster.local", .a), ("quote.kiada.kiada.svc.cluster.local", .a),
            ("example.org.cluster.local", .a), ("kiada.svc.cluster.local", .a), ("gone.svc.cluster.local", .https),
            ("four-headless.kiada.svc.cluster.local", .a),
        ])
    func sameAsFresh(name: String, type: RecordType) async throws {
        try await withServer { (running: Running) async throws in
            for edns in [nil, EDNS(udpPayloadSize: 1232), EDNS(udpPayloadSize: 1232, isDNSSECOK: true)] {
                let fresh = try await ask(running, name, type, .tcp, edns: edns)
                for spelling in [name, name.uppercased(), name] {
                    let before = running.metrics.preparedReplies
                    var reply = try await ask(running, spelling, type, edns: edns)
                    #expect(reply.questions[0].name.description == spelling + ".")
                    #expect(spelling == name || running.metrics.preparedReplies == before + 1)
                    #expect(Set(reply.answers) == Set(fresh.answers))
                    reply.id = fresh.id
                    reply.answers = fresh.answers
                    #expect(reply == fresh)
                }
            }
        }
    }

    @Test("A change is visible at the next query: addresses, names that come and go, endpoints, namespaces, the serial")
    func changes() async throws {
        try await withServer { (running: Running) async throws in
            func words(_ name: String) async throws -> String {
                // Twice, so that the second time it is a prepared reply.
                _ = try await ask(running, name + ".svc.cluster.local", .a)
                let reply = try await ask(running, name + ".svc.cluster.local", .a)
                return reply.code == .noError ? ClusterFixture.words(reply.answers) : "\(reply.code)"
            }
            func set(_ object: KubeObject, isPresent: Bool = true) {
                running.holder.update { $0.set(object, isPresent: isPresent, serial: 3_000) }
            }
            #expect(try await words("quiz.kiada") == "10.96.0.20")
            #expect(try await words("alias.kiada") == "10.96.74.151 quote.kiada.svc.cluster.local.")
            set(ClusterFixture.service("quiz", ips: ["10.96.0.21"], ports: []))
            set(ClusterFixture.service("quote", ips: ["10.96.0.99"], ports: []))
            #expect(try await words("quiz.kiada") == "10.96.0.21")
            #expect(try await words("alias.kiada") == "10.96.0.99 quote.kiada.svc.cluster.local.")
            #expect(try await words("new.kiada") == "NXDOMAIN")
            set(ClusterFixture.service("new", ips: ["10.96.0.22"], ports: []))
            #expect(try await words("new.kiada") == "10.96.0.22")
            set(ClusterFixture.external("new", "quiz.kiada.svc.cluster.local"))
            #expect(try await words("new.kiada") == "10.96.0.21 quiz.kiada.svc.cluster.local.")
            set(ClusterFixture.external("new", "quiz.kiada.svc.cluster.local"), isPresent: false)
            #expect(try await words("new.kiada") == "NXDOMAIN")
            #expect(try await words("empty-headless.kiada") == "NXDOMAIN")
            set(ClusterFixture.slice("empty-headless", "e1", [("http", 80)], [("10.244.9.9", true, nil)]))
            #expect(try await words("empty-headless.kiada") == "10.244.9.9")
            #expect(try await words("later") == "NXDOMAIN")
            set(KubeObject(.namespaces, name: "later"))
            #expect(try await words("later") == "")
            set(KubeObject(.namespaces, name: "kiada"), isPresent: false)
            #expect(try await words("quiz.kiada") == "NXDOMAIN")

            _ = try await ask(running, "gone.later.svc.cluster.local", .a)
            running.holder.update {
                $0.set(
                    ClusterFixture.service("other", namespace: "later", ips: [], ports: []), isPresent: true,
                    serial: 4_000)
            }
            let reply = try await ask(running, "gone.later.svc.cluster.local", .a)
            guard case .soa(let soa) = reply.authorities[0].data else {
                Issue.record("no SOA record")
                return
            }
            #expect(soa.serial == 4_000)
        }
    }

    @Test("6.9 prepared replies too begin with another address from time to time")
    func order() async throws {
        try await withServer { (running: Running) async throws in
            var firsts: Set<RecordData> = []
            for _ in 0..<200 {
                let reply = try await ask(running, "four-headless.kiada.svc.cluster.local", .a)
                #expect(Set(reply.answers).count == 4)
                firsts.insert(reply.answers[0].data)
            }
            #expect(firsts.count == 4 && running.metrics.preparedReplies >= 199)
        }
    }

    @Test("The server listens on IPv6 as well")
    func ipv6() async throws {
        let endpoint = SocketEndpoint(address: .v6(IPv6Address(high: 0, low: 1)), port: 0)
        try await withServer(at: endpoint) { (running: Running) async throws in
            for transport in [DNSExchange.Transport.udp, .tcp, .udp] {
                let reply = try await ask(running, "quiz.kiada.svc.cluster.local", .a, transport)
                #expect(ClusterFixture.words(reply.answers) == "10.96.0.20")
            }
        }
    }

    @Test("Metrics count by type and code, prepared replies included, and give a histogram of latencies")
    func metrics() async throws {
        try await withServer { (running: Running) async throws in
            for _ in 0..<3 { _ = try await ask(running, "quiz.kiada.svc.cluster.local", .a) }
            _ = try await ask(running, "gone.kiada.svc.cluster.local", .srv, .tcp)
            _ = try await ask(running, "quiz.kiada.svc.cluster.local", RecordType(rawValue: 4711))
            // A thread takes the time only when it has sent.
            let isComplete = await eventually {
                running.metrics.prometheusText(cacheHits: 7).contains("duration_seconds_count 5\n")
            }
            #expect(isComplete)
            let text = running.metrics.prometheusText(cacheHits: 7)
            let lines = text.split(separator: "\n").map(String.init)
            #expect(lines.contains("kiada_dns_queries_total{type=\"A\",code=\"NOERROR\"} 3"))
            #expect(lines.contains("kiada_dns_queries_total{type=\"SRV\",code=\"NXDOMAIN\"} 1"))
            #expect(lines.contains("kiada_dns_queries_total{type=\"other\",code=\"NOERROR\"} 1"))
            #expect(lines.contains("kiada_dns_query_duration_seconds_bucket{le=\"+Inf\"} 5"))
            #expect(lines.contains("kiada_dns_upstream_cache_hits_total 7"))
        }
    }

    @Test("The query log has a line for each query, also for one asked before")
    func queryLog() async throws {
        let lines = Lines()
        let logger = Logger(label: "dns") { _ in CollectingLog(lines: lines) }
        try await withServer(log: logger) { (running: Running) async throws in
            for _ in 0..<2 { _ = try await ask(running, "quiz.kiada.svc.cluster.local", .a) }
            _ = try await ask(running, "gone.kiada.svc.cluster.local", .srv, .tcp)
        }
        let quiz = "dns query code=NOERROR name=quiz.kiada.svc.cluster.local. transport=udp type=A"
        let gone = "dns query code=NXDOMAIN name=gone.kiada.svc.cluster.local. transport=tcp type=SRV"
        #expect(lines.all == [quiz, quiz, gone])
    }
}

/// What was logged, with metadata in order.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
}

private struct CollectingLog: LogHandler {
    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
        lines.append(([event.message.description] + facts).joined(separator: " "))
    }
}
