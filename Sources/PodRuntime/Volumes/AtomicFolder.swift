#if os(Linux)
import FoundationEssentials
import Glibc

/// A file of a volume, before it is written.
struct VolumeFile: Equatable {
    /// Relative to the volume.
    let path: String
    let bytes: [UInt8]
    /// Permission bits.
    let mode: Int
}

/// Writes a set of files so that a reader sees all old ones or all new ones, as the kubelet does it.
///
///     <folder>/..2026_11_24_15_04_05.000000001/key   the files
///     <folder>/..data -> ..2026_11_24_...            replaced by a rename
///     <folder>/key -> ..data/key
enum AtomicFolder {
    /// Makes `folder` hold exactly `files`.
    ///
    /// - Returns: false when it held them already.
    static func write(_ files: [VolumeFile], to folder: String, stamp: String) throws(PodFolderError) -> Bool {
        if present(in: folder) == Dictionary(files.map { ($0.path, $0) }, uniquingKeysWith: { $1 }) { return false }
        try make(folder)
        let old = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/..data")
        let new = "..\(stamp)"
        try make("\(folder)/\(new)")
        for file in files {
            let place = "\(folder)/\(new)/\(file.path)"
            if let slash = place.lastIndex(of: "/") { try make(String(place[..<slash])) }
            unlink(place)
            guard FileManager.default.createFile(atPath: place, contents: Data(file.bytes)),
                chmod(place, mode_t(file.mode)) == 0
            else { throw PodFolderError(description: "cannot write \(place): \(String(cString: strerror(errno)))") }
        }
        try link("\(folder)/..data", to: new)
        let names = Set(files.map { String($0.path.prefix { $0 != "/" }) })
        for name in names { try link("\(folder)/\(name)", to: "..data/\(name)") }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where !name.hasPrefix("..") && !names.contains(name) {
            unlink("\(folder)/\(name)")
        }
        if let old, old != new { try? FileManager.default.removeItem(atPath: "\(folder)/\(old)") }
        return true
    }

    /// The files that are there, by path; nil where nothing was written yet.
    private static func present(in folder: String) -> [String: VolumeFile]? {
        let data = "\(folder)/..data"
        guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: data),
            let names = try? FileManager.default.subpathsOfDirectory(atPath: "\(folder)/\(target)")
        else { return nil }
        var found: [String: VolumeFile] = [:]
        for name in names {
            let place = "\(folder)/\(target)/\(name)"
            var status = stat()
            guard stat(place, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            guard let bytes = FileManager.default.contents(atPath: place) else { return nil }
            found[name] = VolumeFile(path: name, bytes: Array(bytes), mode: Int(status.st_mode & 0o7777))
        }
        return found
    }

    private static func make(_ folder: String) throws(PodFolderError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw PodFolderError(description: "cannot make the folder \(folder): \(error)")
        }
    }

    /// A symbolic link, put in place of an older one in one step.
    private static func link(_ path: String, to target: String) throws(PodFolderError) {
        let temporary = path + ".tmp"
        unlink(temporary)
        guard symlink(target, temporary) == 0, rename(temporary, path) == 0 else {
            throw PodFolderError(description: "cannot make the link \(path): \(String(cString: strerror(errno)))")
        }
    }
}
#endif
