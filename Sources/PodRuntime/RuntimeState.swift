#if os(Linux)
import ClusterModel
import FoundationEssentials
import Glibc
import Logging
import NetTypes

/// All that the runtime's task knows, and how it carries out what the machines decide.
struct RuntimeState {
    private struct Entry {
        var machine: PodMachine
        let folder: PodFolder
        let startTime: Moment
        var facts: PodFacts?
        var places: [String: String] = [:]
        /// What runs, by container: programs run beside it get the same environment.
        var running: [String: ProcessSpec] = [:]
    }

    private let configuration: PodRuntimeConfiguration
    private let observer: any PodRuntimeObserver
    private let logger: Logger
    private let host: ProcessHost
    private let inbox: AsyncStream<PodRuntime.Event>.Continuation
    private let probes = NetworkProbe()
    private let clock = ContinuousClock()
    private let start = ContinuousClock.now
    private var allocator: PodAddressAllocator
    private var entries: [ObjectKey: Entry] = [:]
    /// Pods whose predecessor of the same name has not ended yet.
    private var waiting: [ObjectKey: Pod] = [:]
    /// The earliest time for which a timer runs.
    private var armed: Duration?
    private var isStopping = false

    init(
        configuration: PodRuntimeConfiguration, observer: any PodRuntimeObserver, logger: Logger, host: ProcessHost,
        allocator: PodAddressAllocator, inbox: AsyncStream<PodRuntime.Event>.Continuation
    ) {
        self.configuration = configuration
        self.observer = observer
        self.logger = logger
        self.host = host
        self.allocator = allocator
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
        case .exec(let key, let container, let request):
            exec(key, container, request)
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
        } else if entries[key] != nil {
            if pod.deletionTimestamp != nil {
                let grace = pod.object.json["metadata"]?["deletionGracePeriodSeconds"]?.intValue
                handle(
                    .terminate(grace: .seconds(grace ?? pod.terminationGracePeriodSeconds)), for: key, in: &group)
            }
        } else if pod.deletionTimestamp != nil {
            observer.finished(pod)
        } else if !isStopping,
            pod.nodeName == nil || pod.nodeName == configuration.nodeName || configuration.mode.isObserved
        {
            admit(pod, in: &group)
        }
    }

    private mutating func admit(_ pod: Pod, in group: inout DiscardingTaskGroup) {
        let key = pod.object.key
        let folder = PodFolder(
            stateDirectory: configuration.stateDirectory, namespace: pod.namespace, pod: pod.name)
        entries[key] = Entry(machine: PodMachine(pod), folder: folder, startTime: now)
        if case .observed(let address) = configuration.mode {
            guard let found = address(pod) else {
                return fail(
                    key, "NoAddress",
                    "the pod runs elsewhere and its address is not known: set the annotation \(Self.addressAnnotation)"
                )
            }
            let known = facts(of: pod, address: found, folder)
            entries[key]?.facts = known
        } else {
            guard let address = allocator.address(for: pod.uid) else {
                return fail(key, "FailedCreatePodSandBox", "no address is left in \(configuration.podRange)")
            }
            do {
                entries[key]?.places = try folder.prepare(pod)
            } catch {
                return fail(key, "FailedMount", error.description)
            }
            let known = facts(of: pod, address: pod.isHostNetwork ? configuration.hostIP : .v4(address), folder)
            entries[key]?.facts = known
        }
        handle(.prepared, for: key, in: &group)
    }

    /// Says where a pod is that somebody else runs.
    static let addressAnnotation = "kiada.dev/pod-ip"

    private func facts(of pod: Pod, address: IPAddress, _ folder: PodFolder) -> PodFacts {
        PodFacts(
            podIP: address, hostIP: configuration.hostIP, nodeName: pod.nodeName ?? configuration.nodeName,
            folder: folder.path)
    }

    /// A pod that cannot be prepared stays Pending and says why.
    private func fail(_ key: ObjectKey, _ reason: String, _ message: String) {
        guard let entry = entries[key] else { return }
        observer.note(entry.machine.pod, isWarning: true, reason: reason, message: message)
        writeStatus(entry)
    }

    private mutating func handle(
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
        case .note(let isWarning, let reason, let message):
            observer.note(pod, isWarning: isWarning, reason: reason, message: message)
        case .statusChanged:
            writeStatus(entry)
        case .finished:
            entries[key] = nil
            allocator.release(pod.uid)
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

    // MARK: Containers

    private mutating func startContainer(_ index: PodMachine.Index, _ key: ObjectKey, _ entry: Entry) {
        let pod = entry.machine.pod
        let container = entry.machine.containers[index]
        let inbox = inbox
        func report(_ event: PodMachine.Event) { inbox.yield(.machine(key, uid: pod.uid, event)) }
        let log: ContainerLog
        do {
            log = ContainerLog(
                path: try entry.folder.logFile(container: container.spec.name, restart: container.restartCount))
        } catch {
            return report(.startFailed(index, reason: "RunContainerError", message: error.description))
        }
        do {
            let spec = try processSpec(container.spec, entry)
            entries[key]?.running[container.spec.name] = spec
            host.spawn(
                spec, output: log,
                started: { result in
                    switch result {
                    case .success(let pid): inbox.yield(.machine(key, uid: pod.uid, .started(index, pid: pid)))
                    case .failure(let error):
                        let message = error.description
                        ContainerLog(path: log.path).finish(with: message)
                        inbox.yield(
                            .machine(
                                key, uid: pod.uid,
                                .startFailed(index, reason: "RunContainerError", message: message)))
                    }
                },
                ended: { exit in inbox.yield(.machine(key, uid: pod.uid, .ended(index, exit))) })
        } catch {
            log.finish(with: error.description)
            report(.startFailed(index, reason: error.reason, message: error.description))
        }
    }

    private func processSpec(
        _ container: ContainerSpec, _ entry: Entry
    ) throws(ContainerCommandError) -> ProcessSpec {
        let pod = entry.machine.pod
        guard let facts = entry.facts else {
            throw ContainerCommandError(reason: "RunContainerError", description: "the pod has no address")
        }
        guard let image = configuration.images[container.image] else {
            throw ContainerCommandError(
                reason: "ErrImagePull",
                description: "image \"\(container.image)\" has no program here; add it to the image map "
                    + "(docs/image-map.md). Known: \(configuration.images.names.joined(separator: ", "))")
        }
        var binds: [ProcessSpec.Bind] = []
        var resolvConf = "/etc/resolv.conf"
        let environment: [(name: String, value: String)]
        do {
            if let text = configuration.resolvConf(pod) {
                resolvConf = try entry.folder.write("resolv.conf", text)
                binds.append(.init(source: resolvConf, target: "/etc/resolv.conf"))
            }
            let hosts = try entry.folder.write("hosts", hostsFile(pod, facts))
            binds.append(.init(source: hosts, target: "/etc/hosts"))
            let imageValues = [
                "POD_IP": facts.podIP.description, "POD_DIR": facts.folder, "RESOLV_CONF": resolvConf,
                "STATE_DIR": configuration.stateDirectory,
            ]
            let imageVariables =
                [(name: "PATH", value: configuration.searchPath), (name: "HOME", value: facts.folder)]
                + image.environment.map { ($0.name, VariableExpansion.expand($0.value) { imageValues[$0] }) }
            environment = try ContainerEnvironment.variables(
                for: container, of: pod, facts: facts, image: imageVariables,
                services: configuration.serviceVariables(pod.namespace, pod.enableServiceLinks),
                settings: { configuration.settings(pod.namespace, $0) })
        } catch let error as ContainerEnvironmentError {
            throw ContainerCommandError(reason: "CreateContainerConfigError", description: error.description)
        } catch {
            throw ContainerCommandError(reason: "RunContainerError", description: "\(error)")
        }
        let command = try ContainerCommand(
            container, image: image, environment: environment, places: entry.places, configuration: configuration)
        var spec = ProcessSpec(
            program: command.program, arguments: command.arguments, environment: command.environment,
            directory: container.workingDirectory ?? facts.folder)
        if configuration.hasNamespaces {
            spec.binds = binds
            spec.hostname = pod.isHostNetwork ? nil : pod.effectiveHostname
        }
        return spec
    }

    /// The pod's /etc/hosts, as the kubelet writes it.
    private func hostsFile(_ pod: Pod, _ facts: PodFacts) -> String {
        var names = pod.effectiveHostname
        if let subdomain = pod.subdomain {
            names = "\(names).\(subdomain).\(pod.namespace).svc.cluster.local\t\(names)"
        }
        return "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\(facts.podIP)\t\(names)\n"
    }

    // MARK: Probes

    private func probe(
        _ index: PodMachine.Index, _ kind: ProbeKind, _ generation: Int, _ key: ObjectKey, _ entry: Entry,
        in group: inout DiscardingTaskGroup
    ) {
        let container = entry.machine.containers[index].spec
        guard let probe = entry.machine.containers[index].probe(kind)?.probe, let facts = entry.facts else {
            return
        }
        let uid = entry.machine.pod.uid
        let timeout = Duration.seconds(probe.timeoutSeconds)
        let podIP = facts.podIP.description
        let (inbox, probes, host) = (inbox, probes, host)
        func report(_ outcome: ProbeOutcome) {
            inbox.yield(.machine(key, uid: uid, .probed(index, kind, generation: generation, outcome)))
        }
        switch probe.handler {
        case .httpGet(let path, let port, let name, let isTLS, let headers):
            guard let number = container.port(port) else { return report(.failure("no port \(port)")) }
            let target = HTTPProbeTarget(
                host: name ?? podIP, port: Int(number), path: path, isTLS: isTLS, headers: headers)
            group.addTask {
                let outcome = await probes.get(target, timeout: timeout)
                inbox.yield(.machine(key, uid: uid, .probed(index, kind, generation: generation, outcome)))
            }
        case .tcpSocket(let port, let name):
            guard let number = container.port(port) else { return report(.failure("no port \(port)")) }
            group.addTask {
                let outcome = await probes.connect(host: name ?? podIP, port: Int(number), timeout: timeout)
                inbox.yield(.machine(key, uid: uid, .probed(index, kind, generation: generation, outcome)))
            }
        case .exec where configuration.mode.isObserved:
            report(.discarded("exec probes need the pod's own machine"))
        case .exec(let command):
            let exec: ProcessSpec
            do {
                exec = try execSpec(command, container, entry)
            } catch {
                return report(.failure(error.description))
            }
            group.addTask {
                let outcome = await ExecProbe.run(exec, on: host, timeout: timeout)
                inbox.yield(.machine(key, uid: uid, .probed(index, kind, generation: generation, outcome)))
            }
        case .grpc:
            report(.discarded("gRPC probes are not supported yet"))
        }
    }

    /// A program run beside the container's own, with its environment and files.
    private func execSpec(
        _ command: [String], _ container: ContainerSpec, _ entry: Entry
    ) throws(ContainerCommandError) -> ProcessSpec {
        var spec: ProcessSpec
        if let running = entry.running[container.name] {
            spec = running
        } else {
            spec = try processSpec(container, entry)
        }
        let words = command.map { ContainerCommand.localised($0, mounts: container.places(entry.places)) }
        spec.program = try ContainerCommand.program(words.first ?? "", of: container, in: configuration)
        spec.arguments = Array(words.dropFirst())
        return spec
    }

    /// Runs a program beside a container for somebody who looks into it.
    private func exec(_ key: ObjectKey, _ name: String, _ request: ExecRequest) {
        guard case .processes = configuration.mode else {
            return request.fail("the pod runs elsewhere, where its own machine has to be asked")
        }
        guard let entry = entries[key],
            let container = entry.machine.pod.containers.first(where: { $0.name == name })
        else { return request.fail("container \(name) of pod \(key.name) is not there") }
        guard entry.running[name] != nil else { return request.fail("container \(name) is not running") }
        do throws(ContainerCommandError) {
            request.start(try execSpec(request.command, container, entry), on: host)
        } catch {
            request.fail(error.description)
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
    fileprivate var isObserved: Bool { if case .observed = self { true } else { false } }
}

extension ContainerLog {
    /// Writes one last line of the runtime's own.
    fileprivate func finish(with text: String) {
        note(text)
        close()
    }
}
#endif
