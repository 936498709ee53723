#if os(Linux)
import ClusterModel
import NetTypes

/// Programs that run beside containers: probes, and what somebody looks into a pod with.
extension RuntimeState {
    func probe(
        _ index: PodMachine.Index, _ kind: ProbeKind, _ generation: Int, _ key: ObjectKey, _ entry: Entry,
        in group: inout DiscardingTaskGroup
    ) {
        let container = entry.machine.containers[index].spec
        guard let probe = entry.machine.containers[index].probe(kind)?.probe, let facts = entry.facts else {
            return
        }
        let uid = entry.machine.pod.uid
        let timeout = probe.timeout
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
        case .grpc(let port, let service):
            group.addTask {
                let outcome = await probes.check(service: service ?? "", host: podIP, port: port, timeout: timeout)
                inbox.yield(.machine(key, uid: uid, .probed(index, kind, generation: generation, outcome)))
            }
        }
    }

    /// Does what is to be done after a container's start or before its stop.
    ///
    /// - Parameter limit: the time that it may take; nil for any.
    func hook(
        _ index: PodMachine.Index, _ kind: LifecycleHook.Kind, _ generation: Int, _ limit: Duration?,
        _ key: ObjectKey, _ entry: Entry, in group: inout DiscardingTaskGroup
    ) {
        let container = entry.machine.containers[index].spec
        let hook = kind == .postStart ? container.postStart : container.preStop
        let uid = entry.machine.pod.uid
        let (inbox, probes, host) = (inbox, probes, host)
        let timeout = limit ?? .seconds(86400)
        @Sendable func report(_ outcome: ProbeOutcome?) {
            let failure: String? =
                switch outcome {
                case .failure(let reason): reason
                default: nil
                }
            inbox.yield(
                .machine(key, uid: uid, .hookEnded(index, kind, generation: generation, failure: failure)))
        }
        guard !configuration.mode.isObserved, let facts = entry.facts else { return report(nil) }
        switch hook {
        case .sleep(let seconds):
            group.addTask {
                try? await ContinuousClock().sleep(for: min(.seconds(seconds), timeout))
                report(nil)
            }
        case .exec(let command):
            do {
                let spec = try execSpec(command, container, entry)
                group.addTask { report(await ExecProbe.run(spec, on: host, timeout: timeout)) }
            } catch {
                report(.failure(error.description))
            }
        case .httpGet(let path, let port, let name, let isTLS, let headers):
            guard let number = container.port(port) else { return report(.failure("no port \(port)")) }
            let target = HTTPProbeTarget(
                host: name ?? facts.podIP.description, port: Int(number), path: path, isTLS: isTLS, headers: headers)
            group.addTask { report(await probes.get(target, timeout: timeout)) }
        case nil: report(nil)
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
        spec.name = command.first
        guard isolation == .root else {
            let words = command.map { ContainerCommand.localised($0, mounts: container.places(entry.places)) }
            spec.program = try ContainerCommand.program(words.first ?? "", of: container, in: configuration)
            spec.arguments = Array(words.dropFirst())
            return spec
        }
        let machine = entry.machine.containers.first { $0.spec.name == container.name }
        guard case .running(let pid, _)? = machine?.state else {
            throw ContainerCommandError(
                reason: "RunContainerError", description: "container \(container.name) is not running")
        }
        let name = command.first ?? ""
        spec.joined = pid
        spec.program =
            name.hasPrefix("/") ? name : try ContainerCommand.program(name, of: container, in: configuration)
        spec.arguments = Array(command.dropFirst())
        return spec
    }

    private static let elsewhere = "the pod runs elsewhere, where its own machine has to be asked"

    /// Joins somebody to the streams of a container.
    func attach(_ key: ObjectKey, _ name: String, _ request: AttachRequest) {
        guard case .processes = configuration.mode else { return request.fail(Self.elsewhere) }
        guard let streams = entries[key]?.streams[name] else {
            return request.fail("container \(name) of pod \(key.name) is not running")
        }
        request.join(streams, of: name)
    }

    /// Runs a program beside a container for somebody who looks into it.
    func exec(_ key: ObjectKey, _ name: String, _ request: ExecRequest) {
        guard case .processes = configuration.mode else { return request.fail(Self.elsewhere) }
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
}
#endif
