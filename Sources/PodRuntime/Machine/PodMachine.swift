package import ClusterModel

/// The life of one pod: which containers run, restart and end, and what its probes say.
///
///     init containers, one after the other ──▶ all containers ──terminate──▶ SIGTERM … SIGKILL ──▶ finished
///                                                 │      ▲
///                                                 └ends──┘ by restartPolicy, after its back-off
///
/// Pure: events go in, actions come out; whoever owns it does what they say and reports back. Time is a parameter.
package struct PodMachine: Sendable {
    /// Which container of the pod: its place in ``containers``.
    package typealias Index = Int

    package enum Event: Sendable {
        /// The pod has its address and folder.
        case prepared
        case started(Index, pid: Int32)
        case startFailed(Index, reason: String, message: String)
        /// `message` is what the container wrote about it.
        case ended(Index, ProcessExit, message: String? = nil)
        case probed(Index, ProbeKind, generation: Int, ProbeOutcome)
        /// What is done after a start or before a stop has been done; `failure` says why it has not.
        case hookEnded(Index, LifecycleHook.Kind, generation: Int, failure: String?)
        /// The pod has failed when it has been there for so long; nil for never.
        case limit(Duration?)
        /// The pod is to end within `grace`; a second call can only shorten it.
        case terminate(grace: Duration)
        /// A deadline has come.
        case time
    }

    package enum Action: Sendable, Equatable {
        case start(Index)
        case signal(Index, pid: Int32, number: Int32)
        case probe(Index, ProbeKind, generation: Int)
        /// What is done after a start or before a stop, which may take `limit`; nil for as long as it likes.
        case hook(Index, LifecycleHook.Kind, generation: Int, limit: Duration?)
        /// Something for the pod's events and the log.
        case note(isWarning: Bool, reason: String, message: String)
        /// The status differs from before.
        case statusChanged
        /// No process runs and none will.
        case finished
    }

    package let pod: Pod
    /// Init containers first, in the manifest's order.
    package private(set) var containers: [ContainerMachine]
    package private(set) var isPrepared = false
    package private(set) var isTerminating = false
    /// The pod has failed as a whole: its time is over.
    package private(set) var hasExceededDeadline = false
    private var startedAt: Duration?
    private var limit: Duration?
    private var isFinished = false

    package init(_ pod: Pod) {
        self.pod = pod
        limit = pod.activeDeadlineSeconds.map { .seconds($0) }
        containers =
            pod.initContainers.map { ContainerMachine($0, isInit: true) }
            + pod.containers.map { ContainerMachine($0, isInit: false) }
        if pod.initContainers.isEmpty {
            for index in containers.indices { setWaiting(index, "ContainerCreating") }
        }
    }

    /// When ``Event/time`` has to be sent next; nil when nothing is waited for.
    package var deadline: Duration? {
        var earliest: Duration?
        func consider(_ time: Duration?) {
            if let time { earliest = min(earliest ?? time, time) }
        }
        if !isTerminating, !hasExceededDeadline { consider(activeDeadline) }
        for container in containers {
            consider(container.killDeadline)
            if case .waiting(_, _, let until) = container.state, !isTerminating { consider(until) }
            for index in container.activeProbes(isTerminating: isTerminating) {
                consider(container.probes[index].deadline)
            }
        }
        return earliest
    }

    /// When the pod has been there for as long as it may.
    private var activeDeadline: Duration? {
        guard let startedAt, let limit else { return nil }
        return startedAt + limit
    }

    /// Takes an event and says what to do now, in this order.
    package mutating func handle(_ event: Event, at now: Moment) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .prepared:
            isPrepared = true
            startedAt = startedAt ?? now.elapsed
            actions.append(.statusChanged)
        case .started(let index, let pid):
            started(index, pid: pid, at: now, &actions)
        case .startFailed(let index, let reason, let message):
            startFailed(index, reason, message, at: now, &actions)
        case .ended(let index, let exit, let message):
            ended(index, exit, message, at: now, &actions)
        case .probed(let index, let kind, let generation, let outcome):
            probed(index, kind, generation, outcome, at: now, &actions)
        case .hookEnded(let index, let kind, let generation, let failure):
            hookEnded(index, kind, generation, failure, at: now, &actions)
        case .limit(let limit):
            self.limit = limit
        case .terminate(let grace):
            terminate(grace: grace, at: now, &actions)
        case .time:
            break
        }
        proceed(at: now, &actions)
        return actions
    }

    // MARK: Events

    private mutating func started(_ index: Index, pid: Int32, at now: Moment, _ actions: inout [Action]) {
        containers[index].generation += 1
        containers[index].state = .running(pid: pid, since: now)
        containers[index].setUpProbes(at: now.elapsed)
        actions.append(.note(isWarning: false, reason: "Started", message: "Started container \(name(index))"))
        actions.append(.statusChanged)
        if isTerminating || hasExceededDeadline { return kill(index, grace: .zero, reason: nil, at: now, &actions) }
        if containers[index].spec.postStart != nil {
            containers[index].isPostStartPending = true
            actions.append(.hook(index, .postStart, generation: containers[index].generation, limit: nil))
        }
    }

    private mutating func hookEnded(
        _ index: Index, _ kind: LifecycleHook.Kind, _ generation: Int, _ failure: String?, at now: Moment,
        _ actions: inout [Action]
    ) {
        guard containers[index].generation == generation, case .running(let pid, _) = containers[index].state else {
            return
        }
        let title = kind.rawValue.prefix(1).uppercased() + kind.rawValue.dropFirst()
        if let failure {
            actions.append(
                .note(
                    isWarning: true, reason: "Failed\(title)Hook",
                    message: "\(title)Hook failed\(failure.isEmpty ? "" : ": \(failure)")"))
        }
        switch kind {
        case .postStart:
            guard containers[index].isPostStartPending else { return }
            containers[index].isPostStartPending = false
            actions.append(.statusChanged)
            guard failure != nil, !isTerminating else { return }
            let reason = "FailedPostStartHook"
            actions.append(.note(isWarning: false, reason: "Killing", message: reason))
            kill(index, grace: .seconds(pod.terminationGracePeriodSeconds), reason: reason, at: now, &actions)
        case .preStop:
            guard containers[index].isPreStopPending else { return }
            containers[index].isPreStopPending = false
            actions.append(.signal(index, pid: pid, number: 15))
        }
    }

    private mutating func startFailed(
        _ index: Index, _ reason: String, _ message: String, at now: Moment, _ actions: inout [Action]
    ) {
        let ended = ContainerMachine.Ended(
            exit: .code(1), reason: reason, message: message, started: now, finished: now, containerID: "")
        actions.append(.note(isWarning: true, reason: "Failed", message: "Error: \(message)"))
        settle(index, ended, waiting: reason, at: now, &actions)
    }

    private mutating func ended(
        _ index: Index, _ exit: ProcessExit, _ message: String?, at now: Moment, _ actions: inout [Action]
    ) {
        guard case .running(_, let since) = containers[index].state else { return }
        let ended = ContainerMachine.Ended(
            exit: exit, reason: exit == .code(0) ? "Completed" : "Error",
            message: containers[index].killReason ?? message,
            started: since, finished: now, containerID: containerID(index))
        containers[index].probes = []
        containers[index].isPostStartPending = false
        containers[index].isPreStopPending = false
        containers[index].killDeadline = nil
        containers[index].killReason = nil
        settle(index, ended, waiting: "CrashLoopBackOff", at: now, &actions)
    }

    /// Reasons for which there never was a container, so that its next try is no restart.
    private static let withoutContainer: Set<String> = ["ErrImagePull", "CreateContainerConfigError"]

    /// Decides whether a container that has ended starts again, and when.
    private mutating func settle(
        _ index: Index, _ ended: ContainerMachine.Ended, waiting reason: String, at now: Moment,
        _ actions: inout [Action]
    ) {
        actions.append(.statusChanged)
        guard !isTerminating, !hasExceededDeadline, startsAgain(index, after: ended.exit) else {
            containers[index].state = .terminated(ended)
            return
        }
        let uptime = ended.finished.elapsed - ended.started.elapsed
        let wait = containers[index].backoff.next(afterRunning: uptime)
        if !Self.withoutContainer.contains(reason) {
            containers[index].lastEnded = ended
            containers[index].restartCount += 1
        }
        var message = ended.message
        if wait > .zero, reason == "CrashLoopBackOff" {
            message = "back-off \(wait.components.seconds)s restarting failed container=\(name(index)) pod=\(pod.name)"
            actions.append(
                .note(
                    isWarning: true, reason: "BackOff", message: "Back-off restarting failed container \(name(index))"))
        }
        containers[index].state = .waiting(reason: reason, message: message, until: now.elapsed + wait)
    }

    private func startsAgain(_ index: Index, after exit: ProcessExit) -> Bool {
        if containers[index].isInit, !containers[index].spec.isSidecar {
            return exit != .code(0) && pod.restartPolicy != .never
        }
        if containers[index].spec.isSidecar { return true }
        return switch pod.restartPolicy {
        case .always: true
        case .onFailure: exit != .code(0)
        case .never: false
        }
    }

    private mutating func probed(
        _ index: Index, _ kind: ProbeKind, _ generation: Int, _ outcome: ProbeOutcome, at now: Moment,
        _ actions: inout [Action]
    ) {
        guard containers[index].generation == generation, containers[index].isRunning,
            let place = containers[index].probes.firstIndex(where: { $0.kind == kind })
        else { return }
        let wasReady = containers[index].isReady
        let changed = containers[index].probes[place].finish(outcome, at: now.elapsed)
        switch outcome {
        case .failure(let reason) where changed || containers[index].probes[place].isGood:
            let title = kind.rawValue.prefix(1).uppercased() + kind.rawValue.dropFirst()
            actions.append(.note(isWarning: true, reason: "Unhealthy", message: "\(title) probe failed: \(reason)"))
        case .warning(let reason):
            actions.append(.note(isWarning: true, reason: "ProbeWarning", message: reason))
        default: break
        }
        guard changed else { return }
        if !containers[index].probes[place].isGood, kind != .readiness, !isTerminating {
            let reason = "Container \(name(index)) failed \(kind.rawValue) probe, will be restarted"
            actions.append(.note(isWarning: false, reason: "Killing", message: reason))
            kill(
                index, grace: .seconds(pod.terminationGracePeriodSeconds), reason: reason, at: now, &actions)
        }
        if wasReady != containers[index].isReady || kind == .startup { actions.append(.statusChanged) }
    }

    private mutating func terminate(grace: Duration, at now: Moment, _ actions: inout [Action]) {
        if !isTerminating {
            actions.append(.statusChanged)
            for container in containers where container.isRunning {
                actions.append(
                    .note(isWarning: false, reason: "Killing", message: "Stopping container \(container.spec.name)"))
            }
        }
        isTerminating = true
        for index in containers.indices {
            if case .waiting = containers[index].state { setWaiting(index, "PodTerminating") }
            kill(index, grace: grace, reason: nil, at: now, &actions)
        }
    }

    /// SIGTERM now and SIGKILL after `grace`; at once when `grace` is zero.
    private mutating func kill(
        _ index: Index, grace: Duration, reason: String?, at now: Moment, _ actions: inout [Action]
    ) {
        guard case .running(let pid, _) = containers[index].state else { return }
        let deadline = now.elapsed + grace
        if let earlier = containers[index].killDeadline {
            containers[index].killDeadline = min(earlier, deadline)
            return
        }
        containers[index].killDeadline = deadline
        containers[index].killReason = reason
        guard grace > .zero else { return }
        if containers[index].spec.preStop != nil {
            containers[index].isPreStopPending = true
            actions.append(.hook(index, .preStop, generation: containers[index].generation, limit: grace))
        } else {
            actions.append(.signal(index, pid: pid, number: 15))
        }
    }

    /// The pod has been there for as long as it may.
    private mutating func exceedDeadline(at now: Moment, _ actions: inout [Action]) {
        hasExceededDeadline = true
        actions.append(
            .note(
                isWarning: false, reason: "DeadlineExceeded",
                message: "Pod was active on the node longer than the specified deadline"))
        actions.append(.statusChanged)
        for index in containers.indices {
            kill(index, grace: .seconds(pod.terminationGracePeriodSeconds), reason: nil, at: now, &actions)
        }
    }

    // MARK: What follows from the state and the time

    private mutating func proceed(at now: Moment, _ actions: inout [Action]) {
        for index in containers.indices {
            if let deadline = containers[index].killDeadline, deadline <= now.elapsed,
                case .running(let pid, _) = containers[index].state
            {
                actions.append(.signal(index, pid: pid, number: 9))
                containers[index].killDeadline = now.elapsed + .seconds(2)
            }
            for place in containers[index].activeProbes(isTerminating: isTerminating) {
                guard let due = containers[index].probes[place].deadline, due <= now.elapsed else { continue }
                containers[index].probes[place].begin()
                let kind = containers[index].probes[place].kind
                actions.append(.probe(index, kind, generation: containers[index].generation))
            }
        }
        if isTerminating {
            let isBusy = containers.contains { $0.isRunning || $0.state == .starting }
            if !isBusy, !isFinished {
                isFinished = true
                actions.append(.finished)
            }
        } else if isPrepared, !hasExceededDeadline {
            if let activeDeadline, activeDeadline <= now.elapsed { return exceedDeadline(at: now, &actions) }
            startWhatCanStart(at: now, &actions)
        }
    }

    private mutating func startWhatCanStart(at now: Moment, _ actions: inout [Action]) {
        for index in containers.indices {
            if !containers[index].isInit, !containers.allSatisfy({ !$0.isInit || $0.isInitialized }) { return }
            if case .waiting(_, _, let until) = containers[index].state, until ?? .zero <= now.elapsed {
                containers[index].state = .starting
                actions.append(.start(index))
            }
            if containers[index].isInit, !containers[index].isInitialized { return }
        }
    }

    private mutating func setWaiting(_ index: Index, _ reason: String) {
        containers[index].state = .waiting(reason: reason, message: nil, until: nil)
    }

    private func name(_ index: Index) -> String { containers[index].spec.name }

    /// The runtime's name for the present or last run of a container.
    package func containerID(_ index: Index) -> String {
        "kiada://\(pod.uid)/\(name(index))/\(containers[index].restartCount)"
    }
}
