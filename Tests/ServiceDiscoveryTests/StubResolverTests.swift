import DNSClient
import DNSWire
import NetTypes
import ServiceDiscovery
import Synchronization
import Testing

@Suite("Stub resolver", .timeLimit(.minutes(1)))
struct StubResolverTests {
    private let question = Question(Name("quiz.kiada.svc.cluster.local.") ?? .root, .a)
    private let quick = Duration.milliseconds(150)

    private func lookup(
        _ servers: [ScriptedServer], resolver: StubResolver = StubResolver(), question: Question? = nil,
        timeout: Duration = .seconds(5), attempts: Int = 2
    ) async throws -> Lookup {
        let configuration = ResolverConfiguration(
            nameservers: servers.map(\.endpoint), timeout: timeout, attempts: attempts)
        return try await resolver.lookup(
            question ?? self.question, configuration: configuration, deadline: .now + .seconds(20))
    }

    private func addresses(_ lookup: Lookup) -> [String] {
        guard case .records(let records) = lookup else { return [] }
        return records.map { if case .a(let address) = $0.data { address.description } else { "\($0.type)" } }
    }

    @Test("An answer comes with its records; the query carries EDNS and asks for recursion")
    func answer() async throws {
        let seen = Mutex<Message?>(nil)
        let found = try await ScriptedServer.with { query, _ in
            seen.withLock { $0 = query }
            return [Replies.records([Replies.ipv4("10.96.0.5"), Replies.ipv4("10.96.0.6")], to: query)]
        } _: {
            try await lookup([$0])
        }
        #expect(addresses(found) == ["10.96.0.5", "10.96.0.6"])
        let query = try #require(seen.withLock { $0 })
        #expect(query.edns?.udpPayloadSize == 1232 && query.isRecursionDesired)
    }

    @Test("A server that drops the query is given up for the next after the timeout, and asked again in the next round")
    func nextServer() async throws {
        let tries = Mutex(0)
        try await ScriptedServer.with({ _, _ in [] }) { (silent: ScriptedServer) async throws in
            try await ScriptedServer.with { query, _ in
                let count = tries.withLock { count in
                    count += 1
                    return count
                }
                return count == 1 ? [] : [Replies.records([Replies.ipv4("10.0.0.1")], to: query)]
            } _: { (second: ScriptedServer) async throws in
                #expect(addresses(try await lookup([silent, second], timeout: quick)) == ["10.0.0.1"])
                #expect(silent.received.count == 2 && second.received.count == 2)
            }
        }
    }

    @Test("SERVFAIL and REFUSED lead to the next server at once", arguments: [ResponseCode.serverFailure, .refused])
    func failingServer(code: ResponseCode) async throws {
        try await ScriptedServer.with({ query, _ in [Replies.negative(code, to: query)] }) {
            (failing: ScriptedServer) async throws in
            try await ScriptedServer.with(Replies.zone(["quiz.kiada.svc.cluster.local. A": [Replies.ipv4("10.0.0.2")]]))
            { (good: ScriptedServer) async throws in
                #expect(addresses(try await lookup([failing, good])) == ["10.0.0.2"])
                #expect(failing.received.count == 1)
            }
        }
    }

    @Test("When all servers fail the error names each with its reason")
    func allFail() async throws {
        try await ScriptedServer.with({ query, _ in [Replies.negative(.serverFailure, to: query)] }) {
            (server: ScriptedServer) async throws in
            let error = await #expect(throws: LookupError.self) { try await lookup([server], attempts: 2) }
            #expect(error?.failures == ["\(server.endpoint) SERVFAIL", "\(server.endpoint) SERVFAIL"])
            #expect(error?.isOutOfTime == false)
        }
    }

    @Test("Replies with another id, another question, no QR bit, or no sense are ignored while the true one is awaited")
    func lies() async throws {
        let found = try await ScriptedServer.with { query, _ in
            let truth = Replies.records([Replies.ipv4("10.0.0.3")], to: query)
            let lie = Replies.records([Replies.ipv4("6.6.6.6")], to: query)
            var otherID = lie
            otherID[0] ^= 1
            var otherName = lie
            otherName[14] ^= 1
            var noResponse = lie
            noResponse[2] &= 0x7F
            return [[], [1, 2, 3], otherID, otherName, noResponse, Array(lie.prefix(20)), truth]
        } _: {
            try await lookup([$0])
        }
        #expect(addresses(found) == ["10.0.0.3"])
    }

    @Test("A reply that repeats the question in other letter case is the true one")
    func letterCase() async throws {
        let found = try await ScriptedServer.with { query, _ in
            var reply = Replies.records([Replies.ipv4("10.0.0.4")], to: query)
            for index in 13..<17 { reply[index] ^= 0x20 }
            return [reply]
        } _: {
            try await lookup([$0], timeout: quick)
        }
        #expect(addresses(found) == ["10.0.0.4"])
    }

    @Test("Garbage that belongs to the query fails that try")
    func garbage() async throws {
        let calls = Mutex(0)
        let found = try await ScriptedServer.with { query, _ in
            let isFirst = calls.withLock { count in
                count += 1
                return count == 1
            }
            let good = Replies.records([Replies.ipv4("10.0.0.5")], to: query)
            return [isFirst ? Array(good.dropLast(3)) : good]
        } _: {
            try await lookup([$0])
        }
        #expect(addresses(found) == ["10.0.0.5"])
    }

    @Test("6.11 a truncated reply is asked for again over TCP, on the same server")
    func truncation() async throws {
        try await ScriptedServer.with { query, transport in
            let many = (0..<60).map { RecordData.a(IPv4Address(bits: 0x0A00_0000 + $0)) }
            guard transport == .udp else { return [Replies.records(many, to: query)] }
            var reply = Message(replyingTo: query, code: .noError)
            reply.isTruncated = true
            return [reply.encoded()]
        } _: { (server: ScriptedServer) async throws in
            #expect(addresses(try await lookup([server])).count == 60)
            #expect(server.received.map(\.transport) == [.udp, .tcp])
        }
    }

    @Test("A server that does not know EDNS is asked again without")
    func noEDNS() async throws {
        let found = try await ScriptedServer.with { query, _ in
            guard query.edns == nil else { return [Replies.negative(.formatError, to: query)] }
            return [Replies.records([Replies.ipv4("10.0.0.6")], to: query)]
        } _: {
            try await lookup([$0], attempts: 1)
        }
        #expect(addresses(found) == ["10.0.0.6"])
    }

    @Test("Where nobody listens the next server is asked without waiting for the timeout")
    func refusedPort() async throws {
        let gone = try await ScriptedServer.with({ _, _ in [] }) { $0.endpoint }
        try await ScriptedServer.with(Replies.zone(["quiz.kiada.svc.cluster.local. A": [Replies.ipv4("10.0.0.7")]])) {
            let configuration = ResolverConfiguration(
                nameservers: [gone, $0.endpoint], timeout: .seconds(30), attempts: 1)
            let found = try await StubResolver().lookup(
                question, configuration: configuration, deadline: .now + .seconds(40))
            #expect(addresses(found) == ["10.0.0.7"])
        }
    }

    @Test("Aliases are followed inside a reply and over several, and a loop of them ends in an error")
    func aliases() async throws {
        let target = Name("b.") ?? .root
        let zone: ScriptedServer.Script = { query, _ in
            switch "\(query.questions[0].name)" {
            case "b.": [Replies.records([Replies.ipv4("10.0.0.8")], to: query)]
            case "loop.": [Replies.records([.cname(Name("loop2.") ?? .root)], to: query)]
            case "loop2.": [Replies.records([.cname(Name("loop.") ?? .root)], to: query)]
            default: [Replies.records([.cname(target)], to: query)]
            }
        }
        try await ScriptedServer.with(zone) { (server: ScriptedServer) async throws in
            #expect(addresses(try await lookup([server])) == ["10.0.0.8"])
            await #expect(throws: LookupError.self) {
                try await lookup([server], question: Question(Name("loop.") ?? .root, .a))
            }
            #expect(server.received.count < 15)
        }
    }

    @Test("\"No such name\" and \"no such type\" are different answers")
    func negatives() async throws {
        try await ScriptedServer.with(Replies.zone(["here. AAAA": [.aaaa(IPv6Address(high: 1, low: 1))]])) {
            (server: ScriptedServer) async throws in
            #expect(try await lookup([server], question: Question(Name("here.") ?? .root, .a)) == .noData)
            #expect(try await lookup([server], question: Question(Name("gone.") ?? .root, .a)) == .noName)
        }
    }

    @Test("Answers are kept until their TTL has passed and not longer, negative ones for as long as the SOA says")
    func cache() async throws {
        let clock = ManualClock()
        let resolver = StubResolver(now: { clock.now })
        let script: ScriptedServer.Script = { query, _ in
            "\(query.questions[0].name)" == "gone."
                ? [Replies.negative(.nameError, ttl: 10, to: query)]
                : [Replies.records([Replies.ipv4("10.0.0.9")], ttl: 30, to: query)]
        }
        try await ScriptedServer.with(script) { (server: ScriptedServer) async throws in
            let configuration = ResolverConfiguration(nameservers: [server.endpoint])
            let gone = Question(Name("gone.") ?? .root, .a)
            func ask(_ question: Question) async throws -> Int {
                _ = try await resolver.lookup(question, configuration: configuration, deadline: clock.now + .seconds(5))
                return server.received.count
            }
            #expect(try await ask(question) == 1)
            #expect(try await ask(gone) == 2)
            clock.advance(by: .seconds(9))
            #expect(try await ask(question) == 2)
            #expect(try await ask(gone) == 2)
            clock.advance(by: .seconds(1))
            #expect(try await ask(gone) == 3)
            clock.advance(by: .milliseconds(19_999))
            #expect(try await ask(question) == 3)
            clock.advance(by: .milliseconds(1))
            #expect(try await ask(question) == 4)
        }
    }

    @Test("A TTL of 0, and a negative answer without SOA, are not kept")
    func uncacheable() async throws {
        let resolver = StubResolver()
        let script: ScriptedServer.Script = { query, _ in
            "\(query.questions[0].name)" == "gone."
                ? [Replies.negative(.nameError, to: query)]
                : [Replies.records([Replies.ipv4("10.0.0.9")], ttl: 0, to: query)]
        }
        try await ScriptedServer.with(script) { (server: ScriptedServer) async throws in
            for _ in 0..<2 {
                _ = try await lookup([server], resolver: resolver)
                _ = try await lookup([server], resolver: resolver, question: Question(Name("gone.") ?? .root, .a))
            }
            #expect(server.received.count == 4)
        }
    }

    @Test("A full cache forgets what expires first")
    func cacheBound() async throws {
        let resolver = StubResolver(cacheLimit: 2)
        let script: ScriptedServer.Script = { query, _ in
            let ttl: UInt32 = query.questions[0].name == Name("short.") ? 100 : 200
            return [Replies.records([Replies.ipv4("10.0.0.9")], ttl: ttl, to: query)]
        }
        try await ScriptedServer.with(script) { (server: ScriptedServer) async throws in
            for name in ["short.", "long.", "third.", "long.", "third."] {
                _ = try await lookup([server], resolver: resolver, question: Question(Name(name) ?? .root, .a))
            }
            #expect(server.received.count == 3)
            _ = try await lookup([server], resolver: resolver, question: Question(Name("short.") ?? .root, .a))
            #expect(server.received.count == 4)
        }
    }

    @Test("The same question from many tasks at once goes out once")
    func singleFlight() async throws {
        let resolver = StubResolver()
        let count = Mutex(0)
        // The first query is dropped: all tasks are waiting long before the second, after the timeout, is answered.
        let script: ScriptedServer.Script = { query, _ in
            let isFirst = count.withLock { count in
                count += 1
                return count == 1
            }
            return isFirst ? [] : [Replies.records([Replies.ipv4("10.0.0.9")], ttl: 0, to: query)]
        }
        try await ScriptedServer.with(script) { (server: ScriptedServer) async throws in
            try await withThrowingTaskGroup(of: Lookup.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await lookup([server], resolver: resolver, timeout: .seconds(1)) }
                }
                for try await found in group { #expect(addresses(found) == ["10.0.0.9"]) }
            }
            #expect(server.received.count == 2)
        }
    }

    @Test("The deadline ends a lookup whatever the configuration allows")
    func deadline() async throws {
        try await ScriptedServer.with({ _, _ in [] }) { (server: ScriptedServer) async throws in
            let configuration = ResolverConfiguration(
                nameservers: [server.endpoint], timeout: .seconds(30), attempts: 5)
            let start = ContinuousClock.now
            let error = await #expect(throws: LookupError.self) {
                try await StubResolver().lookup(question, configuration: configuration, deadline: start + quick)
            }
            #expect(error?.isOutOfTime == true)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }
}
