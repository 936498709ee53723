package import ClusterModel
import FoundationEssentials

/// A pod's files on this machine: its volumes, generated files and where its logs are.
///
///     <state>/pods/<namespace>_<pod>/          resolv.conf, hosts, volumes/<volume>
///     <state>/volumes/<namespace>/<claim>/     outlives the pod
///     <state>/logs/<namespace>_<pod>/<container>/<restart>.log
package struct PodFolder: Sendable {
    package let path: String
    package let logPath: String
    private let claimsPath: String

    package init(stateDirectory: String, namespace: String, pod: String) {
        path = "\(stateDirectory)/pods/\(namespace)_\(pod)"
        logPath = "\(stateDirectory)/logs/\(namespace)_\(pod)"
        claimsPath = "\(stateDirectory)/volumes/\(namespace)"
    }

    /// Makes the folders of `pod`'s volumes, and says where each volume is.
    ///
    /// - Throws: ``PodFolderError`` naming the volume that this runtime cannot provide, or the folder that cannot be made.
    package func prepare(_ pod: Pod) throws(PodFolderError) -> [String: String] {
        try create(path)
        try create(root)
        var places: [String: String] = [:]
        for (name, source) in pod.volumes {
            switch source {
            case .emptyDirectory, .files: places[name] = volume(name)
            case .claim(let claim): places[name] = "\(claimsPath)/\(claim)"
            case .hostPath(let host, let type):
                try provide(host, type, volume: name)
                places[name] = host
                continue
            case .unsupported(let description):
                throw PodFolderError(
                    description: "volume \"\(name)\": \(description) is not supported yet; "
                        + "use emptyDir, hostPath, persistentVolumeClaim, configMap, secret, downwardAPI or projected")
            }
            if let place = places[name] { try create(place) }
        }
        return places
    }

    /// Sees to it that what a hostPath volume asks for is there.
    private func provide(_ path: String, _ type: String, volume: String) throws(PodFolderError) {
        var isFolder = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        switch type {
        case "DirectoryOrCreate" where !isThere: return try create(path)
        case "FileOrCreate" where !isThere:
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw PodFolderError(description: "cannot make the file \(path)")
            }
        case "Directory", "DirectoryOrCreate":
            guard isThere, isFolder else { throw refusal(path, "is not a directory", volume) }
        case "File", "FileOrCreate":
            guard isThere, !isFolder else { throw refusal(path, "is not a file", volume) }
        default: break
        }
    }

    private func refusal(_ path: String, _ problem: String, _ volume: String) -> PodFolderError {
        PodFolderError(
            description:
                "MountVolume.SetUp failed for volume \"\(volume)\" : hostPath type check failed: \(path) \(problem)")
    }

    /// The log file of one run of a container; its folder is made, and logs before the previous run are removed.
    package func logFile(container: String, restart: Int) throws(PodFolderError) -> String {
        let folder = "\(logPath)/\(container)"
        try create(folder)
        for old in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            if let number = Int(old.prefix { $0 != "." }), number < restart - 1 || number >= restart {
                try? FileManager.default.removeItem(atPath: "\(folder)/\(old)")
            }
        }
        return "\(folder)/\(restart).log"
    }

    /// Writes a generated file and returns its path.
    package func write(_ name: String, _ text: String) throws(PodFolderError) -> String {
        let file = "\(path)/\(name)"
        do {
            try Data(text.utf8).write(to: URL(filePath: file))
        } catch {
            throw PodFolderError(description: "cannot write \(file): \(error)")
        }
        return file
    }

    /// The file in which a container writes why it ends, empty for a new run; everybody may write to it.
    func terminationMessage(of container: String) throws(PodFolderError) -> String {
        try create("\(path)/termination")
        let file = try write("termination/\(container)", "")
        try? FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: file)
        return file
    }

    /// Where a volume that lives as long as the pod is.
    func volume(_ name: String) -> String { "\(path)/volumes/\(name)" }

    /// An empty folder, in which each container with a file system of its own puts that together, unseen by others.
    var root: String { "\(path)/root" }

    /// Removes the pod's own files; volumes of claims and logs stay.
    package func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    private func create(_ folder: String) throws(PodFolderError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw PodFolderError(description: "cannot make the folder \(folder): \(error)")
        }
    }
}

/// Why a pod's files cannot be made.
package struct PodFolderError: Error, Equatable, CustomStringConvertible {
    package let description: String
}
