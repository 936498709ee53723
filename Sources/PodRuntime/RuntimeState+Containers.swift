#if os(Linux)
import ClusterModel
import FoundationEssentials
import NetTypes

/// Starting containers: what they run, with which environment and files.
extension RuntimeState {
    mutating func startContainer(_ index: PodMachine.Index, _ key: ObjectKey, _ entry: Entry) {
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
            var spec = try processSpec(container.spec, entry)
            let message = try shareTerminationMessage(container.spec, entry, &spec)
            let messageLog = container.spec.takesLogAsMessage ? log.path : nil
            entries[key]?.running[container.spec.name] = spec
            observer.note(
                pod, isWarning: false, reason: "Pulled",
                message: "Container image \"\(container.spec.image)\" already present on machine")
            observer.note(
                pod, isWarning: false, reason: "Created", message: "Created container: \(container.spec.name)")
            let (input, streams) = try Self.input(of: container.spec)
            if container.spec.hasTerminal { spec.environment.insert(("TERM", "xterm"), at: 0) }
            let output = ContainerStreams(log: log, input: input, of: container.spec)
            entries[key]?.streams[container.spec.name] = output
            host.spawn(
                spec, streams: streams, output: output,
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
                ended: { exit in
                    let text = TerminationMessage.text(in: message, orEndOf: exit == .code(0) ? nil : messageLog)
                    inbox.yield(.machine(key, uid: pod.uid, .ended(index, exit, message: text)))
                })
        } catch {
            log.finish(with: error.description)
            report(.startFailed(index, reason: error.reason, message: error.description))
        }
    }

    /// Has the file in which the container writes why it ends be one of ours; nil where it would write on the machine.
    private func shareTerminationMessage(
        _ container: ContainerSpec, _ entry: Entry, _ spec: inout ProcessSpec
    ) throws(ContainerCommandError) -> String? {
        guard isolation == .root, !HostMounts.share(container.terminationMessagePath) else { return nil }
        do throws(PodFolderError) {
            let file = try entry.folder.terminationMessage(of: container.name)
            var bind = Self.fileBind(file, container.terminationMessagePath)
            bind.isInLayer = true
            spec.binds.append(bind)
            return file
        } catch {
            throw ContainerCommandError(reason: "RunContainerError", description: error.description)
        }
    }

    /// The standard input of a container, as its manifest asks for it.
    private static func input(
        of container: ContainerSpec
    ) throws(ContainerCommandError) -> (ProcessInput?, ProcessStreams) {
        guard container.hasTerminal || container.hasInput else { return (nil, .pipes(input: nil)) }
        do throws(ProcessInputError) {
            let way = try ProcessInput.open(container.hasTerminal ? .terminal : .pipe)
            return (way.input, way.streams)
        } catch {
            throw ContainerCommandError(reason: "RunContainerError", description: error.description)
        }
    }

    func processSpec(
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
                binds.append(Self.fileBind(resolvConf, "/etc/resolv.conf"))
            }
            let hosts = try entry.folder.write(
                "hosts",
                HostsFile.text(
                    for: pod, at: facts.podIP, clusterDomain: configuration.clusterDomain,
                    node: pod.isHostNetwork ? Self.nodeHosts : ""))
            binds.append(Self.fileBind(hosts, "/etc/hosts"))
            let imageValues = [
                "POD_IP": facts.podIP.description, "POD_NAME": pod.name, "NODE_IP": facts.hostIP.description,
                "NODE_NAME": facts.nodeName, "POD_DIR": facts.folder, "RESOLV_CONF": resolvConf,
                "STATE_DIR": configuration.stateDirectory,
            ]
            let imageVariables =
                [(name: "PATH", value: configuration.searchPath), (name: "HOME", value: facts.folder)]
                + image.environment.map { ($0.name, VariableExpansion.expand($0.value) { imageValues[$0] }) }
            environment = try ContainerEnvironment.variables(
                for: container, of: pod, facts: facts, image: imageVariables,
                services: configuration.serviceVariables(pod.namespace, pod.enableServiceLinks),
                settings: { configuration.settings(pod.namespace, $0)?.texts })
        } catch let error as ContainerEnvironmentError {
            throw ContainerCommandError(reason: "CreateContainerConfigError", description: error.description)
        } catch {
            throw ContainerCommandError(reason: "RunContainerError", description: "\(error)")
        }
        let command = try ContainerCommand(
            container, image: image, environment: environment, places: isolation == .root ? nil : entry.places,
            configuration: configuration)
        var spec = ProcessSpec(
            program: command.program, arguments: command.arguments, environment: command.environment,
            directory: container.workingDirectory ?? facts.folder)
        if isolation == .root {
            spec.root = entry.folder.root
            spec.binds = try rootBinds(container, entry, environment: environment) + binds
        }
        if isolation != .none {
            if isolation == .files { spec.binds = binds }
            spec.hostname = try HostsFile.kernelHostname(of: pod, clusterDomain: configuration.clusterDomain)
        }
        return spec
    }

    /// The node's /etc/hosts; empty when it cannot be read.
    private static var nodeHosts: String {
        (try? String(contentsOf: URL(filePath: "/etc/hosts"), encoding: .utf8)) ?? ""
    }

    private static func fileBind(_ source: String, _ target: String) -> ProcessSpec.Bind {
        var bind = ProcessSpec.Bind(source: source, target: target)
        bind.isFile = true
        return bind
    }
}

extension ContainerLog {
    /// Writes one last line of the runtime's own.
    fileprivate func finish(with text: String) {
        note(text)
        close()
    }
}
#endif
