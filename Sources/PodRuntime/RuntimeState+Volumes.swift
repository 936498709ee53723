#if os(Linux)
import ClusterModel
import Glibc

/// The volumes of pods, and the files in them that follow ConfigMaps, Secrets and the pod's own fields.
extension RuntimeState {
    /// Provides a new pod's volumes, then lets it start.
    ///
    /// A pod whose ConfigMap or Secret is missing waits for it, as with a kubelet.
    mutating func mountVolumes(_ key: ObjectKey, in group: inout DiscardingTaskGroup) {
        guard let entry = entries[key] else { return }
        do {
            entries[key]?.places = try entry.folder.prepare(entry.pod)
            for (name, volume) in Self.fileVolumes(of: entry.pod) { _ = try write(volume, name, entry) }
        } catch {
            return fail(key, "FailedMount", error.description)
        }
        entries[key]?.hasVolumes = true
        handle(.prepared, for: key, in: &group)
    }

    mutating func settingsChanged(
        _ settings: ContainerSpec.Settings, _ namespace: String, in group: inout DiscardingTaskGroup
    ) {
        for (key, entry) in entries where key.namespace == namespace && entry.facts != nil {
            guard Self.fileVolumes(of: entry.pod).contains(where: { $0.volume.settings.contains(settings) }) else {
                continue
            }
            if entry.hasVolumes { refreshFiles(key) } else { mountVolumes(key, in: &group) }
        }
    }

    /// Writes the files again that differ; what is missing meanwhile leaves the old files.
    func refreshFiles(_ key: ObjectKey) {
        guard let entry = entries[key] else { return }
        for (name, volume) in Self.fileVolumes(of: entry.pod) {
            do {
                _ = try write(volume, name, entry)
            } catch {
                observer.note(entry.pod, isWarning: true, reason: "FailedMount", message: error.description)
            }
        }
    }

    private static func fileVolumes(of pod: Pod) -> [(name: String, volume: FileVolume)] {
        pod.volumes.compactMap { name, source in
            if case .files(let volume) = source { (name, volume) } else { nil }
        }
    }

    private func write(_ volume: FileVolume, _ name: String, _ entry: Entry) throws(PodFolderError) -> Bool {
        guard let facts = entry.facts else { return false }
        let pod = entry.pod
        do {
            let files = try VolumeContent.files(
                of: volume, settings: { configuration.settings(pod.namespace, $0) },
                field: { source throws(ContainerEnvironmentError) in
                    try PodFields.text(source, of: pod, container: nil, facts: facts, inFile: true)
                })
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return try AtomicFolder.write(
                files, to: entry.folder.volume(name), stamp: "\(time.tv_sec)_\(time.tv_nsec)")
        } catch {
            throw PodFolderError(description: "MountVolume.SetUp failed for volume \"\(name)\" : \(error)")
        }
    }
}

extension RuntimeState {
    /// What a container with a file system of its own has mounted: the machine's mounts, the state folder, its volumes.
    ///
    /// - Parameter environment: for `subPathExpr`.
    func rootBinds(
        _ container: ContainerSpec, _ entry: Entry, environment: [(name: String, value: String)]
    ) throws(ContainerCommandError) -> [ProcessSpec.Bind] {
        var binds = HostMounts.binds()
        binds.append(.init(source: configuration.stateDirectory, target: configuration.stateDirectory))
        let values = Dictionary(environment.map { ($0.name, $0.value) }) { $1 }
        for mount in container.mounts.sorted(by: { $0.path < $1.path }) {
            guard let place = entry.places[mount.volume] else {
                throw ContainerCommandError(
                    reason: "CreateContainerConfigError",
                    description: "container \(container.name): there is no volume \"\(mount.volume)\"")
            }
            let part = mount.subPathExpression.map { VariableExpansion.expand($0) { values[$0] } } ?? mount.subPath
            var bind = ProcessSpec.Bind(
                source: try part.map { part throws(ContainerCommandError) in try Self.subPath(part, of: place) }
                    ?? place,
                target: mount.path)
            bind.isReadOnly = mount.isReadOnly
            bind.isRecursive = !mount.isReadOnly
            var status = stat()
            bind.isFile = stat(bind.source, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
            binds.append(bind)
        }
        return binds
    }

    /// A place inside of a volume; a folder is made if there is nothing.
    private static func subPath(_ part: String, of place: String) throws(ContainerCommandError) -> String {
        guard !part.hasPrefix("/"), !part.split(separator: "/").contains("..") else {
            throw ContainerCommandError(
                reason: "CreateContainerConfigError", description: "subPath \"\(part)\" leads out of the volume")
        }
        let path = "\(place)/\(part)"
        if access(path, F_OK) != 0 {
            var end = place
            for step in part.split(separator: "/") {
                end += "/" + step
                mkdir(end, 0o755)
            }
        }
        return path
    }
}
#endif
