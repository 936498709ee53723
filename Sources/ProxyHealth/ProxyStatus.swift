import ClusterModel
import Glibc
package import ServiceRouting
import Synchronization

/// The health and the metrics of a proxy, as its HTTP server gives them (7.14, 7.15).
package final class ProxyStatus: Sendable {
    /// Numbers that are read when somebody asks.
    package struct Sources: Sendable {
        /// `userspace`, `nftables` or `socket`.
        package var planeName: @Sendable () -> String
        /// What the data plane has carried.
        package var counters: @Sendable () async -> [EndpointCounters]
        /// Whether the node may get traffic from outside: it is there, is not being deleted and is not marked for removal.
        package var isNodeEligible: @Sendable () -> Bool
        /// Further metrics in Prometheus's text format.
        package var otherMetrics: @Sendable () -> String

        package init(
            planeName: @escaping @Sendable () -> String,
            counters: @escaping @Sendable () async -> [EndpointCounters],
            isNodeEligible: @escaping @Sendable () -> Bool, otherMetrics: @escaping @Sendable () -> String
        ) {
            self.planeName = planeName
            self.counters = counters
            self.isNodeEligible = isNodeEligible
            self.otherMetrics = otherMetrics
        }
    }

    /// What changes; guarded by the lock.
    private struct State {
        var record = SyncRecord()
        var noLocalEndpoints = NoLocalEndpoints()
        /// Answers by path and status code.
        var answers: [String: [Int: UInt64]] = ["healthz": [200: 0, 503: 0], "livez": [200: 0, 503: 0]]
    }

    private let state = Mutex(State())
    private let sources: Sources
    private let now: @Sendable () -> Int64

    /// - Parameter now: nanoseconds since 1970.
    package init(_ sources: Sources, now: @escaping @Sendable () -> Int64 = ProxyStatus.systemTime) {
        self.sources = sources
        self.now = now
    }

    /// Nanoseconds since 1970 by the system's clock.
    package static let systemTime: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Whether changes become effective in time.
    package var isHealthy: Bool { state.withLock { $0.record.isHealthy(at: now()) } }

    /// Runs `sync`, which makes changes effective, and notes how that went.
    ///
    /// - Parameters:
    ///   - services: how many changes of Services, `endpoints` how many of EndpointSlices.
    ///   - triggers: see ``SyncRecord/finish(start:end:isFull:triggers:isFailure:)``.
    ///   - sync: says whether the plane's own means failed.
    package func measure(
        services: Int, endpoints: Int, isFull: Bool, triggers: [Int64], _ sync: () async -> Bool
    ) async {
        let start = now()
        state.withLock { $0.record.queue(services: services, endpoints: endpoints, at: start) }
        let isFailure = await sync()
        let end = now()
        state.withLock {
            $0.record.finish(start: start, end: end, isFull: isFull, triggers: triggers, isFailure: isFailure)
        }
    }

    /// Says how many Service ports have a Local policy and no endpoint here.
    package func setNoLocalEndpoints(_ count: NoLocalEndpoints) { state.withLock { $0.noLocalEndpoints = count } }

    /// Answers `/healthz`, `/livez`, `/metrics` and `/proxyMode`.
    package func reply(to path: String) async -> HealthReply {
        switch path {
        case "/healthz": return health("healthz", isNodeAsked: true)
        case "/livez": return health("livez", isNodeAsked: false)
        case "/metrics": return .metrics(await metrics())
        case "/proxyMode": return .text(sources.planeName())
        default: return .text("there are /healthz, /livez, /metrics and /proxyMode\n", status: 404)
        }
    }

    private func health(_ name: String, isNodeAsked: Bool) -> HealthReply {
        let isEligible = sources.isNodeEligible()
        let now = now()
        let (isHealthy, updated) = state.withLock { state in
            let isHealthy = state.record.isHealthy(at: now)
            let status = isHealthy && (isEligible || !isNodeAsked) ? 200 : 503
            state.answers[name, default: [:]][status, default: 0] += 1
            // While all is well, the state is that of now (7.14).
            return (isHealthy, isHealthy ? now : state.record.lastUpdated ?? 0)
        }
        let time = "\"\(Self.text(updated))\""
        var fields = ["\"lastUpdated\":\(time)", "\"currentTime\":\"\(Self.text(now))\""]
        if isNodeAsked { fields.append("\"nodeEligible\":\(isEligible)") }
        fields.append("\"healthy\":\(isHealthy)")
        fields.append("\"status\":{\"IPv4\":{\"lastUpdated\":\(time),\"healthy\":\(isHealthy)}}")
        return .json(
            "{" + fields.joined(separator: ",") + "}", status: isHealthy && (isEligible || !isNodeAsked) ? 200 : 503)
    }

    /// RFC 3339 with nanoseconds.
    private static func text(_ nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let fraction = String(nanoseconds % 1_000_000_000)
        let padding = String(repeating: "0", count: 9 - fraction.count)
        return "\(Timestamp.text(unixSeconds: seconds).dropLast()).\(padding)\(fraction)Z"
    }

    private func metrics() async -> String {
        let counters = await sources.counters()
        let (record, noLocal, answers) = state.withLock { ($0.record, $0.noLocalEndpoints, $0.answers) }
        var text = PrometheusText()
        text.add(record, planeName: sources.planeName())
        text.add(noLocal)
        for (name, codes) in answers.sorted(by: { $0.key < $1.key }) {
            let family = "kubeproxy_proxy_\(name)_total"
            text.family(family, .counter, "Answers of /\(name), by status code.")
            for (code, count) in codes.sorted(by: { $0.key < $1.key }) {
                text.sample(family, ["code": "\(code)"], count)
            }
        }
        text.add(counters)
        text.addProcess()
        return text.text + sources.otherMetrics()
    }
}

/// Service ports that have a Local traffic policy and no usable endpoint on this node, though there are some elsewhere.
package struct NoLocalEndpoints: Hashable, Sendable {
    package var internalPolicy: Int
    package var externalPolicy: Int

    package init(internalPolicy: Int = 0, externalPolicy: Int = 0) {
        self.internalPolicy = internalPolicy
        self.externalPolicy = externalPolicy
    }
}
