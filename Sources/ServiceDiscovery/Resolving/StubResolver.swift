import DNSClient
package import DNSWire
import NIOCore
package import NIOPosix
import NetTypes
import Synchronization

/// Asks name servers single questions, and remembers what they said.
///
/// Servers are asked in order, each for at most the configured time, and the list is gone through `attempts` times; a
/// truncated reply is asked for again over TCP, a server that does not know EDNS again without it. The same question from
/// several tasks at once goes out once. Nothing blocks a thread.
package final class StubResolver: Sendable {
    /// Aliases that are followed over several replies.
    private static let aliasLimit = 8
    /// What we take over UDP: fits into one packet nearly everywhere.
    private static let udpSize: UInt16 = 1232

    private struct State {
        var cache: LookupCache
        var flights = FlightTable<Question, Result<Lookup, LookupError>>()
        var rotation = 0
    }

    private let group: MultiThreadedEventLoopGroup
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>

    /// Makes a resolver that keeps at most `cacheLimit` answers; `now` is the clock of TTLs and deadlines.
    package init(
        group: MultiThreadedEventLoopGroup = .singleton, cacheLimit: Int = 1024,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.group = group
        self.now = now
        state = Mutex(State(cache: LookupCache(capacity: cacheLimit)))
    }

    /// The answer to `question` from the cache or from the servers of `configuration`, not later than `deadline`.
    package func lookup(
        _ question: Question, configuration: ResolverConfiguration, deadline: ContinuousClock.Instant
    ) async throws(LookupError) -> Lookup {
        while true {
            let loop = group.next()
            let role = state.withLock {
                state -> (cached: Lookup?, flight: FlightTable<Question, Result<Lookup, LookupError>>.Role) in
                if let cached = state.cache.lookup(for: question, now: now()) { return (cached, .leads) }
                return (nil, state.flights.join(question, on: loop))
            }
            if let cached = role.cached { return cached }
            switch role.flight {
            case .leads: return try await lead(question, configuration, deadline)
            case .follows(let future):
                let remaining = TimeAmount(deadline - now())
                guard let result = await future.value(within: remaining, on: loop) else {
                    throw LookupError(question: question, failures: ["no reply in time"], isOutOfTime: true)
                }
                // The leader may have had less time than we have.
                if case .failure(let error) = result, error.isOutOfTime, now() < deadline { continue }
                return try result.get()
            }
        }
    }

    private func lead(
        _ question: Question, _ configuration: ResolverConfiguration, _ deadline: ContinuousClock.Instant
    ) async throws(LookupError) -> Lookup {
        let result: Result<Lookup, LookupError>
        do throws(LookupError) {
            let (lookup, ttl) = try await chase(question, configuration, deadline)
            if let ttl {
                state.withLock { $0.cache.store(lookup, for: question, ttl: .seconds(Int64(ttl)), now: now()) }
            }
            result = .success(lookup)
        } catch {
            result = .failure(error)
        }
        let followers = state.withLock { $0.flights.land(question) }
        for follower in followers { follower.succeed(result) }
        return try result.get()
    }

    /// Asks, and asks again for the target of an alias that the reply does not resolve itself.
    private func chase(
        _ question: Question, _ configuration: ResolverConfiguration, _ deadline: ContinuousClock.Instant
    ) async throws(LookupError) -> (Lookup, ttl: UInt32?) {
        var current = question
        var aliasTTL = UInt32.max
        for _ in 0...Self.aliasLimit {
            switch try await askServers(current, configuration, deadline) {
            case .answer(let lookup, let ttl): return (lookup, ttl.map { min($0, aliasTTL) })
            case .alias(let target, let ttl):
                current.name = target
                aliasTTL = min(aliasTTL, ttl)
            case .failure: return (.noData, nil)
            }
        }
        throw LookupError(question: question, failures: ["more than \(Self.aliasLimit) aliases"], isOutOfTime: false)
    }

    private func askServers(
        _ question: Question, _ configuration: ResolverConfiguration, _ deadline: ContinuousClock.Instant
    ) async throws(LookupError) -> ReplyReader.Reading {
        var failures: [String] = []
        let servers = configuration.nameservers
        let first =
            configuration.rotates
            ? state.withLock { state in
                state.rotation &+= 1
                return state.rotation
            } : 0
        for _ in 0..<configuration.attempts {
            for index in servers.indices {
                let server = servers[(first + index) % servers.count]
                let remaining = deadline - now()
                guard remaining > .zero, !Task.isCancelled else {
                    throw LookupError(question: question, failures: failures, isOutOfTime: true)
                }
                switch await ask(server, question, timeout: min(remaining, configuration.timeout)) {
                case .failure(let reason): failures.append("\(server) \(reason)")
                case let reading: return reading
                }
            }
        }
        throw LookupError(question: question, failures: failures, isOutOfTime: now() >= deadline)
    }

    /// One server, with its detours over TCP and without EDNS; these share one timeout.
    private func ask(_ server: SocketEndpoint, _ question: Question, timeout: Duration) async -> ReplyReader.Reading {
        let end = now() + timeout
        var edns: EDNS? = EDNS(udpPayloadSize: Self.udpSize)
        var transport = DNSExchange.Transport.udp
        while true {
            let remaining = end - now()
            guard remaining > .zero else { return .failure("\(ExchangeError.timeout)") }
            let query = Message(id: .random(in: .min ... .max), query: question, edns: edns)
            let reply: Message
            do {
                let bytes = try await DNSExchange.send(
                    query.encoded(), to: server, over: transport, timeout: TimeAmount(remaining), on: group.next()
                ).get()
                reply = try Message(decoding: bytes)
            } catch {
                return .failure("\(error)")
            }
            if edns != nil, reply.code == .formatError || reply.code == .notImplemented {
                edns = nil
            } else if reply.isTruncated, transport == .udp {
                transport = .tcp
            } else {
                return ReplyReader.read(reply, to: question)
            }
        }
    }
}
