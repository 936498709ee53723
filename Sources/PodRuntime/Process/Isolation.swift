#if os(Linux)
import FoundationEssentials
import Glibc
import Logging

/// How much of their own containers get.
enum Isolation: Int, CaseIterable {
    /// Nothing: the machine's files, numbers and name.
    case none
    /// A host name, resolv.conf and hosts.
    case files
    /// Besides that a file system that takes what is written, with volumes at their mount paths, and process numbers.
    case root

    /// The most that the kernel allows; each level is tried with a process.
    static func best(of configuration: PodRuntimeConfiguration, on host: ProcessHost, logger: Logger) async -> Isolation
    {
        guard configuration.hasNamespaces, !configuration.mode.isObserved else { return .none }
        let folder = "\(configuration.stateDirectory)/pods/.trial"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            return .none
        }
        for level in allCases.reversed() where level != .none {
            var spec = ProcessSpec(program: "/")
            spec.isTrial = true
            spec.hostname = "trial"
            if level == .root {
                spec.root = folder
                spec.binds = HostMounts.binds()
            }
            let problem = await problem(with: spec, on: host)
            guard let problem else { return level }
            logger.notice(
                "containers cannot have all of their own", metadata: ["level": "\(level)", "reason": "\(problem)"])
        }
        return .none
    }

    private static func problem(with spec: ProcessSpec, on host: ProcessHost) async -> String? {
        await withCheckedContinuation { continuation in
            host.spawn(
                spec, output: CapturedOutput(),
                started: { if case .failure(let error) = $0 { continuation.resume(returning: "\(error)") } },
                ended: { continuation.resume(returning: $0 == .code(0) ? nil : "\($0)") })
        }
    }
}

/// What is mounted on this machine besides its root: containers with a file system of their own see it too.
enum HostMounts {
    /// The uppermost mounts but `/proc`, of which each container has its own, and `/dev`, of which it has its own files.
    static func binds() -> [ProcessSpec.Bind] {
        let text = (try? String(contentsOf: URL(filePath: "/proc/self/mountinfo"), encoding: .utf8)) ?? ""
        let points = uppermost(of: text)
        let devices = points.contains(Self.devices) ? [Self.devices] + uppermost(of: text, below: Self.devices) : []
        return (points.filter { $0 != Self.devices } + devices).map { path in
            var bind = ProcessSpec.Bind(source: path, target: path)
            bind.isRecursive = true
            bind.isOptional = true
            bind.isLayered = path == Self.devices
            var status = stat()
            bind.isFile = stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
            return bind
        }
    }

    /// Where containers write why they end, for one.
    private static let devices = "/dev"

    /// Whether what a container writes to `path` would be written on the machine.
    static func share(_ path: String) -> Bool {
        let text = (try? String(contentsOf: URL(filePath: "/proc/self/mountinfo"), encoding: .utf8)) ?? ""
        let shared = uppermost(of: text).filter { $0 != devices } + uppermost(of: text, below: devices) + ["/proc"]
        return shared.contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    /// The mount points of a mountinfo file that are below no other one but `folder`, without `/proc`.
    static func uppermost(of mountinfo: String, below folder: String = "") -> [String] {
        let points = mountinfo.split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ")
            return fields.count > 4 ? unescaped(fields[4]) : nil
        }
        var found: [String] = []
        for point in Set(points).sorted()
        where point != "/" && point.hasPrefix(folder + "/") && point != "/proc" && !point.hasPrefix("/proc/") {
            if let last = found.last(where: { point.hasPrefix($0 + "/") }), !last.isEmpty { continue }
            found.append(point)
        }
        return found
    }

    /// Spaces and their like are written in octal: `\040`.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
#endif
