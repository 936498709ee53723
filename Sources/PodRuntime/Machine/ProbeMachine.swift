package import ClusterModel

/// Which of a container's three probes.
package enum ProbeKind: String, Hashable, Sendable, CaseIterable {
    case startup
    case liveness
    case readiness
}

/// What one attempt of a probe found.
package enum ProbeOutcome: Hashable, Sendable {
    case success
    /// Success with something worth an event, such as a redirect to another host (4.4).
    case warning(String)
    case failure(String)
    /// The attempt itself went wrong; it counts as nothing (4.3).
    case discarded(String)
}

/// When one probe of one container is due, and what its results mean (semantics 4.1-4.3, 4.8).
///
/// Attempts fall on ticks counted from the container's start. A local choice makes starts quick: until a readiness or
/// startup probe without delay first succeeds, it is also tried 30, 60, 120, ... ms after the start; these extra
/// attempts can only succeed, a failure among them counts as nothing.
package struct ProbeMachine: Sendable {
    package let kind: ProbeKind
    package let probe: Probe
    private let startedAt: Duration
    /// The present result: readiness starts bad, liveness good, startup bad.
    package private(set) var isGood: Bool
    /// When the next attempt is due; nil while one is under way.
    package private(set) var deadline: Duration?
    /// Why the last attempt failed.
    package private(set) var lastFailure: String?
    private var run = 0
    private var runIsGood = false
    /// The next regular attempt, in periods since the start.
    private var nextTick: Int64
    /// When the next extra attempt is due, counted from the start; nil when there are none any more.
    private var extraDelay: Duration?
    private var isExtra = false

    package init(_ kind: ProbeKind, _ probe: Probe, startedAt: Duration) {
        self.kind = kind
        self.probe = probe
        self.startedAt = startedAt
        isGood = kind == .liveness
        let period = Self.milliseconds(probe.period)
        nextTick = (Int64(probe.initialDelaySeconds) * 1000 + period - 1) / period
        if kind != .liveness, probe.initialDelaySeconds == 0, probe.successThreshold == 1 {
            extraDelay = .milliseconds(30)
            nextTick = 1
        }
        schedule(after: startedAt)
    }

    /// Says that the attempt that was due is being made.
    package mutating func begin() {
        deadline = nil
        if !isExtra { nextTick += 1 }
    }

    /// Takes the result of the attempt under way; true when the probe's result has changed.
    ///
    /// For liveness and startup, every full run of failures is a change, as each of them ends a container.
    package mutating func finish(_ outcome: ProbeOutcome, at now: Duration) -> Bool {
        let wasExtra = isExtra
        defer { schedule(after: now) }
        let success: Bool
        switch outcome {
        case .success, .warning: success = true
        case .discarded: return false
        case .failure(let reason):
            lastFailure = reason
            if wasExtra { return false }
            success = false
        }
        if success {
            extraDelay = nil
            lastFailure = nil
        }
        run = runIsGood == success ? run + 1 : 1
        runIsGood = success
        guard run >= (success ? probe.successThreshold : probe.failureThreshold) else { return false }
        if isGood == success, success || kind == .readiness { return false }
        isGood = success
        if !success { run = 0 }
        return true
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    }

    private mutating func schedule(after now: Duration) {
        let period = probe.period
        let passed = Self.milliseconds(now - startedAt) / Self.milliseconds(period)
        if startedAt + period * Int(nextTick) < now { nextTick = passed + 1 }
        let regular = startedAt + period * Int(nextTick)
        while let extra = extraDelay, startedAt + extra <= now { extraDelay = extra * 2 }
        isExtra = extraDelay.map { startedAt + $0 < regular } ?? false
        deadline = isExtra ? extraDelay.map { startedAt + $0 } : regular
        if !isExtra { extraDelay = nil }
    }
}
