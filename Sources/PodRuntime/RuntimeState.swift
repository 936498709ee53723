#if os(Linux)
import ClusterModel
import FoundationEssentials
import Glibc
import Logging
import NetTypes

/// All that the runtime's task knows, and how it carries out what the machines decide.
struct RuntimeState {
    struct Entry {
        var machine: PodMachine
        /// The pod as it is in the store now: labels and annotations may differ from the machine's.
        var pod: Pod
        let folder: PodFolder
        let startTime: Moment
        var facts: PodFacts?
        var places: [String: String] = [:]
        /// The volumes' places are known, and their files written.
        var hasVolumes = false
        /// What runs, by container: programs run beside it get the same environment.
        var running: [String: ProcessSpec] = [:]
        /// The streams of each container's latest run.
        var streams: [String: ContainerStreams] = [:]
    }

    let configuration: PodRuntimeConfiguration
    let observer: any PodRuntimeObserver
    let logger: Logger
    let host: ProcessHost
    let isolation: Isolation
    let inbox: AsyncStream<PodRuntime.Event>.Continuation
    let probes = NetworkProbe()
    private let clock = ContinuousClock()
    private let start = ContinuousClock.now
    /// By node.
    private var allocators: [String: PodAddressAllocator]
    var entries: [ObjectKey: Entry] = [:]
    /// Pods whose predecessor of the same name has not ended yet.
    private var waiting: [ObjectKey: Pod] = [:]
    /// The earliest time for which a timer runs.
    private var armed: Duration?
    private var isStopping = false

    init(
        configuration: PodRuntimeConfiguration, observer: any PodRuntimeObserver, logger: Logger, host: ProcessHost,
        isolation: Isolation, allocators: [String: PodAddressAllocator],
        inbox: AsyncStream<PodRuntime.Event>.Continuation
    ) {
        self.configuration = configuration
        self.observer = observer
        self.logger = logger
        self.host = host
        self.isolation = isolation
        self.allocators = allocators
        self.inbox = inbox
    }

    /// All pods have ended after a stop.
    var isDone: Bool { isStopping && entries.isEmpty }

    private var now: Moment {
        Moment(elapsed: clock.now - start, unixSeconds: ContainerLog.systemTime().seconds)
    }

    mutating func take(_ event: PodRuntime.Event, in group: inout DiscardingTaskGroup) {
        switch event {
        case .pod(let pod):
            set(pod, in: &group)
        case .removed(let key):
            waiting[key] = nil
            handle(.terminate(grace: .zero), for: key, in: &group)
        case .machine(let key, let uid, let event):
            if entries[key]?.machine.pod.uid == uid { handle(event, for: key, in: &group) }
        case .settings(let namespace, let settings):
            settingsChanged(settings, namespace, in: &group)
        case .exec(let key, let container, let request):
            exec(key, container, request)
        case .attach(let key, let container, let request):
            attach(key, container, request)
        case .deadline:
            armed = nil
            let time = now.elapsed
            for (key, entry) in entries {
                if let deadline = entry.machine.deadline, deadline <= time { handle(.time, for: key, in: &group) }
            }
        case .stop(let grace):
            isStopping = true
            waiting = [:]
            for (key, entry) in entries {
                let own = Duration.seconds(entry.machine.pod.terminationGracePeriodSeconds)
                handle(.terminate(grace: min(own, grace)), for: key, in: &group)
            }
        }
        arm(in: &group)
    }

    // MARK: Pods

    private mutating func set(_ pod: Pod, in group: inout DiscardingTaskGroup) {
        let key = pod.object.key
        if let entry = entries[key], entry.machine.pod.uid != pod.uid {
            waiting[key] = pod
            handle(.terminate(grace: .zero), for: key, in: &group)
        } else if let entry = entries[key] {
            entries[key]?.pod = pod
            if entry.pod.activeDeadlineSeconds != pod.activeDeadlineSeconds {
                handle(.limit(pod.activeDeadlineSeconds.map { .seconds($0) }), for: key, in: &group)
            }
            // Somebody may have written a condition that the pod waits for.
            if !pod.readinessGates.isEmpty { writeStatus(entry) }
            if entries[key]?.hasVolumes == true { refreshFiles(key) }
            if pod.deletionTimestamp != nil {
                let grace = pod.object.json["metadata"]?["deletionGracePeriodSeconds"]?.intValue
                handle(
                    .terminate(grace: .seconds(grace ?? pod.terminationGracePeriodSeconds)), for: key, in: &group)
            }
        } else if pod.deletionTimestamp != nil {
            observer.finished(pod)
        } else if !isStopping, let node = pod.nodeName,
            configuration.node(node) != nil || configuration.mode.isObserved
        {
            // A pod without a node is told about again once it has one.
            admit(pod, in: &group)
        }
    }

    private mutating func admit(_ pod: Pod, in group: inout DiscardingTaskGroup) {
        let key = pod.object.key
        let folder = PodFolder(
            stateDirectory: configuration.stateDirectory, namespace: pod.namespace, pod: pod.name)
        entries[key] = Entry(machine: PodMachine(pod), pod: pod, folder: folder, startTime: now)
        if case .observed(let addresses) = configuration.mode {
            let found = addresses(pod)
            guard let first = found.first else {
                return fail(
                    key, "NoAddress",
                    "the pod runs elsewhere and its address is not known: set the annotation \(Self.addressAnnotation)"
                )
            }
            var known = facts(of: pod, address: first, folder)
            known.otherIPs = Array(found.dropFirst())
            entries[key]?.facts = known
        } else {
            guard let node = configuration.node(pod.nodeName) else { return }
            guard let address = allocators[node.name]?.address(for: pod.uid) else {
                return fail(key, "FailedCreatePodSandBox", "no address is left in \(node.podRange)")
            }
            let known = facts(of: pod, address: pod.isHostNetwork ? node.hostIP : .v4(address), folder)
            entries[key]?.facts = known
            return mountVolumes(key, in: &group)
        }
        handle(.prepared, for: key, in: &group)
    }

    /// Says where a pod is that somebody else runs.
    static let addressAnnotation = "kiada.dev/pod-ip"

    private func facts(of pod: Pod, address: IPAddress, _ folder: PodFolder) -> PodFacts {
        var facts = PodFacts(
            podIP: address, hostIP: configuration.node(pod.nodeName)?.hostIP ?? configuration.hostIP,
            nodeName: pod.nodeName ?? configuration.nodeName,
            folder: folder.path)
        let memory = max(0, sysconf(Int32(_SC_PHYS_PAGES))) * max(0, sysconf(Int32(_SC_PAGESIZE)))
        facts.resources = [
            "cpu": Quantity(milli: Int128(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) * 1000),
            "memory": Quantity(milli: Int128(memory) * 1000),
        ]
        return facts
    }

    /// A pod that cannot be prepared stays Pending and says why.
    func fail(_ key: ObjectKey, _ reason: String, _ message: String) {
        guard let entry = entries[key] else { return }
        observer.note(entry.machine.pod, isWarning: true, reason: reason, message: message)
        writeStatus(entry)
    }

    mutating func handle(
        _ event: PodMachine.Event, for key: ObjectKey, in group: inout DiscardingTaskGroup
    ) {
        guard var machine = entries[key]?.machine else { return }
        let actions = machine.handle(event, at: now)
        entries[key]?.machine = machine
        for action in actions { carryOut(action, for: key, in: &group) }
    }

    private mutating func carryOut(
        _ action: PodMachine.Action, for key: ObjectKey, in group: inout DiscardingTaskGroup
    ) {
        guard let entry = entries[key] else { return }
        let pod = entry.machine.pod
        switch action {
        case .start(let index):
            if case .observed = configuration.mode {
                inbox.yield(.machine(key, uid: pod.uid, .started(index, pid: 0)))
            } else {
                startContainer(index, key, entry)
            }
        case .signal(let index, let pid, let number):
            if case .observed = configuration.mode {
                inbox.yield(.machine(key, uid: pod.uid, .ended(index, .code(0))))
            } else {
                host.signal(pid, number, wholeGroup: number == SIGKILL)
            }
        case .probe(let index, let kind, let generation):
            probe(index, kind, generation, key, entry, in: &group)
        case .hook(let index, let kind, let generation, let limit):
            hook(index, kind, generation, limit, key, entry, in: &group)
        case .note(let isWarning, let reason, let message):
            observer.note(pod, isWarning: isWarning, reason: reason, message: message)
        case .statusChanged:
            writeStatus(entry)
        case .finished:
            entries[key] = nil
            for node in configuration.nodes { allocators[node.name]?.release(pod.uid) }
            if !isStopping, !configuration.mode.isObserved { entry.folder.remove() }
            observer.finished(pod)
            if let next = waiting.removeValue(forKey: key) { set(next, in: &group) }
        }
    }

    private func writeStatus(_ entry: Entry) {
        let (machine, facts, startTime, time) = (entry.machine, entry.facts, entry.startTime, now)
        observer.statusChanged(machine.pod) { previous in
            PodStatus.document(of: machine, facts: facts, startTime: startTime, previous: previous, at: time)
        }
    }

    // MARK: Time

    /// Makes sure that a timer runs for the earliest deadline.
    ///
    /// Timers that have become needless fire without effect.
    private mutating func arm(in group: inout DiscardingTaskGroup) {
        guard let next = entries.values.compactMap(\.machine.deadline).min(), next < armed ?? .seconds(1 << 40)
        else { return }
        armed = next
        let (inbox, clock, time) = (inbox, clock, start + next)
        group.addTask {
            try? await clock.sleep(until: time, tolerance: .zero)
            inbox.yield(.deadline)
        }
    }
}

extension PodRuntimeConfiguration.Mode {
    var isObserved: Bool { if case .observed = self { true } else { false } }
}
#endif
