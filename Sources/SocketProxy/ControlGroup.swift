#if os(Linux)
import CSocketProxy
import FoundationEssentials
import Glibc

/// The control group whose processes are served.
enum ControlGroup {
    /// An open descriptor of the group's folder; the caller closes it.
    ///
    /// - Parameter path: nil for the root of the first cgroup2 file system, that is all processes.
    static func open(_ path: String?) throws(SocketPlaneFailure) -> Int32 {
        guard let folder = path ?? mount() else { throw .noControlGroups }
        guard csocketproxy_file_system(folder) == CSOCKETPROXY_CGROUP2 else { throw .notAControlGroup(folder) }
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .notPermitted("opening \(folder)") }
        return descriptor
    }

    /// Where cgroup2 is mounted, from /proc/self/mountinfo.
    static func mount(
        _ mounts: String = (try? String(contentsOf: URL(filePath: "/proc/self/mountinfo"), encoding: .utf8)) ?? ""
    ) -> String? {
        for line in mounts.split(separator: "\n") {
            // number parent device root MOUNT-POINT options fields... - TYPE source options
            let halves = line.split(separator: " - ", maxSplits: 1)
            let fields = halves[0].split(separator: " ")
            guard halves.count == 2, halves[1].hasPrefix("cgroup2 "), fields.count > 4 else { continue }
            return String(fields[4])
        }
        return nil
    }
}

/// The kernel's version, as far as it matters.
enum KernelRelease {
    static var current: String {
        var system = utsname()
        uname(&system)
        return withUnsafeBytes(of: &system.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Whether `release` is 5.18 or newer; one that says no number is given the benefit of the doubt.
    static func isNewEnough(_ release: String) -> Bool {
        let numbers = release.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
        guard numbers.count == 2 else { return true }
        return (numbers[0], numbers[1]) >= (5, 18)
    }
}
#endif
