package import DNSClient
import DNSWire
package import NIOCore
package import NetTypes
import Synchronization

/// Passes queries on to the upstream servers and brings their replies back as they are (rule 6.10).
///
/// Servers are tried in random order, each once, for two seconds; one that failed is tried last for a while. At most
/// `outstandingLimit` queries are under way; what comes beyond gets no reply. Servers that lead back here are left out
/// (``LoopProbes``).
package final class Forwarder: Sendable {
    /// Servers that are used at most.
    package static let upstreamLimit = 15
    private static let outstandingLimit = 1024
    private static let penalty: Duration = .seconds(2)

    /// What changes; guarded by the lock.
    private struct State {
        var cache: ReplyCache
        var failedUntil: [SocketEndpoint: ContinuousClock.Instant] = [:]
        var outstanding = 0
        var hits: UInt64 = 0
        var probes = LoopProbes()
    }

    private let upstreams: [SocketEndpoint]
    private let timeout: TimeAmount
    private let now: @Sendable () -> ContinuousClock.Instant
    private let onLoop: @Sendable (SocketEndpoint) -> Void
    private let state: Mutex<State>

    /// Makes a forwarder to `upstreams`; without any no query is ever answered.
    ///
    /// - Parameter onLoop: told each upstream server that is found to lead back here.
    package init(
        upstreams: [SocketEndpoint], timeout: TimeAmount = .seconds(2), cacheLimit: Int = 10_000,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now },
        onLoop: @escaping @Sendable (SocketEndpoint) -> Void = { _ in }
    ) {
        self.upstreams = Array(upstreams.prefix(Self.upstreamLimit))
        self.timeout = timeout
        self.now = now
        self.onLoop = onLoop
        state = Mutex(State(cache: ReplyCache(capacity: cacheLimit)))
    }

    /// Whether there is anybody to ask.
    package var isUsable: Bool { !upstreams.isEmpty }

    /// How many replies came from the cache.
    package var cacheHits: UInt64 { state.withLock { $0.hits } }

    /// The reply to `query`, with its id and in its spelling; nil when no server has one.
    package func ask(
        _ query: [UInt8], over transport: DNSExchange.Transport, on loop: any EventLoop
    ) -> EventLoopFuture<[UInt8]?> {
        let key = ReplyCache.Key(query, transport)
        let plan = state.withLock { state -> Plan in
            let now = now()
            if let cached = state.cache.reply(for: key, now: now) {
                state.hits += 1
                return Plan(cached: cached)
            }
            guard state.outstanding < Self.outstandingLimit, isUsable else { return Plan() }
            let probes = state.probes.due(upstreams, now: now)
            let usable = upstreams.filter { !state.probes.looping.contains($0) }
            guard !usable.isEmpty else { return Plan(probes: probes) }
            state.outstanding += 1
            var well: [SocketEndpoint] = []
            var failed: [SocketEndpoint] = []
            for server in usable.shuffled() {
                if let end = state.failedUntil[server], end > now { failed.append(server) } else { well.append(server) }
            }
            return Plan(servers: well + failed, probes: probes)
        }
        for probe in plan.probes { send(probe, on: loop) }
        if let cached = plan.cached { return loop.makeSucceededFuture(Self.readdress(cached, to: query)) }
        guard !plan.servers.isEmpty else { return loop.makeSucceededFuture(nil) }
        return attempt(query, transport, plan.servers[...], loop).map { reply in
            self.state.withLock { state in
                state.outstanding -= 1
                if let reply { state.cache.store(reply, for: key, now: self.now()) }
            }
            return reply.map { Self.readdress($0, to: query) }
        }
    }

    /// What to do about a query.
    private struct Plan {
        var cached: [UInt8]?
        var servers: [SocketEndpoint] = []
        var probes: [LoopProbes.Probe] = []
    }

    /// Whether a question is one that this forwarder has sent out to see if it comes back.
    func isOwnProbe(_ question: Question) -> Bool {
        guard question.type == Self.probeType, let found = state.withLock({ $0.probes.returned(question.name) }) else {
            return false
        }
        if found.isNew { onLoop(found.server) }
        return true
    }

    /// HINFO, which hardly anybody asks for.
    private static let probeType = RecordType(rawValue: 13)

    private func send(_ probe: LoopProbes.Probe, on loop: any EventLoop) {
        let query = Message(id: .random(in: 0 ... .max), query: Question(probe.name, Self.probeType)).encoded()
        DNSExchange.send(query, to: probe.server, over: .udp, timeout: timeout, on: loop).whenComplete { _ in
            self.state.withLock { $0.probes.ended(probe) }
        }
    }

    private func attempt(
        _ query: [UInt8], _ transport: DNSExchange.Transport, _ servers: ArraySlice<SocketEndpoint>,
        _ loop: any EventLoop
    ) -> EventLoopFuture<[UInt8]?> {
        guard let server = servers.first else { return loop.makeSucceededFuture(nil) }
        // A fresh id: the client's may be easy to guess.
        var fresh = query
        (fresh[0], fresh[1]) = (.random(in: 0...255), .random(in: 0...255))
        return DNSExchange.send(fresh, to: server, over: transport, timeout: timeout, on: loop)
            .map { reply -> [UInt8]? in
                self.state.withLock { $0.failedUntil[server] = nil }
                return reply
            }
            .flatMapError { _ in
                self.state.withLock { $0.failedUntil[server] = self.now() + Self.penalty }
                return self.attempt(query, transport, servers.dropFirst(), loop)
            }
    }

    /// Gives a reply the id of `query` and, where it repeats the question, its letter case.
    static func readdress(_ reply: [UInt8], to query: [UInt8]) -> [UInt8] {
        var reply = reply
        (reply[0], reply[1]) = (query[0], query[1])
        guard reply[5] == 1, reply[4] == 0 else { return reply }
        var index = Message.headerSize
        while index < query.count, index < reply.count, query[index] != 0 {
            reply[index] = query[index]
            index += 1
        }
        return reply
    }
}
