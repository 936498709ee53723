package import ClusterModel

/// One container's state and history, as the status shows it.
package struct ContainerMachine: Sendable {
    /// A run that has ended.
    package struct Ended: Sendable, Equatable {
        package var exit: ProcessExit
        package var reason: String
        package var message: String?
        package var started: Moment
        package var finished: Moment
        package var containerID: String
    }

    package enum State: Sendable, Equatable {
        /// Not running; `until` nil waits for an event instead of a time.
        case waiting(reason: String, message: String?, until: Duration?)
        /// The runtime has been told to start it.
        case starting
        case running(pid: Int32, since: Moment)
        /// Ended, and stays so.
        case terminated(Ended)
    }

    package let spec: ContainerSpec
    package let isInit: Bool
    package var state = State.waiting(reason: "PodInitializing", message: nil, until: nil)
    package var lastEnded: Ended?
    package var restartCount = 0
    package var backoff = RestartBackoff()
    package var probes: [ProbeMachine] = []
    /// When SIGKILL follows, if SIGTERM has been sent.
    package var killDeadline: Duration?
    /// Why the runtime is ending the container, for its event and status.
    package var killReason: String?
    /// What was to be done after the start is still being done.
    package var isPostStartPending = false
    /// What is to be done before the container is told to stop is being done.
    package var isPreStopPending = false
    /// Number of the present run: results of an earlier run's probes are not mixed up with this one's.
    package var generation = 0

    package init(_ spec: ContainerSpec, isInit: Bool) {
        self.spec = spec
        self.isInit = isInit
    }

    package var isRunning: Bool { if case .running = state { true } else { false } }
    package var isTerminated: Bool { if case .terminated = state { true } else { false } }

    /// An init container that has done its work, or a sidecar that has started.
    package var isInitialized: Bool {
        if spec.isSidecar { return isStarted }
        if case .terminated(let ended) = state { return ended.exit == .code(0) }
        return false
    }

    /// Running, what follows its start is done, and its startup probe, if any, has passed.
    package var isStarted: Bool { isRunning && !isPostStartPending && (probe(.startup)?.isGood ?? true) }

    /// Started, and its readiness probe, if any, says so.
    package var isReady: Bool { isStarted && killDeadline == nil && (probe(.readiness)?.isGood ?? true) }

    package func probe(_ kind: ProbeKind) -> ProbeMachine? { probes.first { $0.kind == kind } }

    mutating func setUpProbes(at now: Duration) {
        let kinds: [(ProbeKind, Probe?)] = [
            (.startup, spec.startupProbe), (.liveness, spec.livenessProbe), (.readiness, spec.readinessProbe),
        ]
        probes = kinds.compactMap { kind, probe in probe.map { ProbeMachine(kind, $0, startedAt: now) } }
    }

    /// The probes that run now: while the startup probe has not passed, only that one (4.2); liveness and startup stop
    /// when the pod is being ended, readiness goes on (4.3).
    func activeProbes(isTerminating: Bool) -> [Int] {
        guard isRunning, !isPostStartPending else { return [] }
        let starting = !isStarted
        return probes.indices.filter { index in
            switch probes[index].kind {
            case .startup: starting && !isTerminating && killDeadline == nil
            case .liveness: !starting && !isTerminating && killDeadline == nil
            case .readiness: !starting
            }
        }
    }
}
