#if os(Linux)
import ClusterModel

/// Which files a volume made from objects has.
enum VolumeContent {
    /// The files of `volume`, each path once, sorted.
    ///
    /// - Parameters:
    ///   - settings: the content of a ConfigMap or Secret of the pod's namespace; nil when there is none.
    ///   - field: the text of a downwardAPI item.
    /// - Throws: what is missing, in the kubelet's words.
    static func files(
        of volume: FileVolume, settings: (ContainerSpec.Settings) -> SettingsContent?,
        field: (ContainerSpec.Variable.Source) throws(ContainerEnvironmentError) -> String
    ) throws(PodFolderError) -> [VolumeFile] {
        var files: [String: VolumeFile] = [:]
        func add(_ path: String, _ bytes: [UInt8], _ mode: Int?) throws(PodFolderError) {
            guard !path.isEmpty, !path.hasPrefix("/"), !path.split(separator: "/").contains(".."),
                !path.hasPrefix("..")
            else { throw PodFolderError(description: "path \"\(path)\" leads out of the volume") }
            files[path] = VolumeFile(path: path, bytes: bytes, mode: (mode ?? volume.defaultMode) & 0o777)
        }
        for source in volume.sources {
            switch source {
            case .settings(let name, let items, let isOptional):
                guard let content = settings(name) else {
                    if isOptional { continue }
                    throw PodFolderError(description: "\(name.phrase) not found")
                }
                guard let items else {
                    for (key, bytes) in content.files { try add(key, bytes, nil) }
                    continue
                }
                for item in items {
                    guard let bytes = content.files[item.key] else {
                        if isOptional { continue }
                        throw PodFolderError(
                            description: "\(name.phrase) references non-existent key: \(item.key)")
                    }
                    try add(item.path, bytes, item.mode)
                }
            case .fields(let items):
                for item in items {
                    let text: String
                    do {
                        text = try field(item.value)
                    } catch {
                        throw PodFolderError(description: error.description)
                    }
                    try add(item.path, Array(text.utf8), item.mode)
                }
            case .unsupported(let description):
                throw PodFolderError(description: "\(description) is not supported")
            }
        }
        return files.values.sorted { $0.path < $1.path }
    }
}
#endif
