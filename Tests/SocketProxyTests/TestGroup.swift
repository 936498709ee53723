#if os(Linux)
import FoundationEssentials
import Glibc
import KiadaTesting

@testable import SocketProxy

/// A control group of a test, with this process in it until the test lets go.
final class TestGroup: Sendable {
    static let mount = ControlGroup.mount()

    /// Why the tests of the kernel's part cannot run; nil when they can.
    static let reason: String? = {
        guard geteuid() == 0 else { return "the socket plane needs root" }
        guard let mount else { return "no cgroup2 file system is mounted" }
        return access(mount, W_OK) == 0 ? nil : "\(mount) cannot be written"
    }()

    let path: String
    private let home: String

    init(joins: Bool = true) throws {
        let mount = Self.mount ?? ""
        let own = try String(contentsOf: URL(filePath: "/proc/self/cgroup"), encoding: .utf8)
        let line = own.split(separator: "\n").first { $0.hasPrefix("0::") }
        home = mount + (line.map { String($0.dropFirst(3)) } ?? "/")
        path = "\(mount)/kiada-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        if joins { try Self.join(path) }
    }

    deinit {
        try? Self.join(home)
        rmdir(path)
    }

    func add(_ process: Int32) throws { try Self.write(process, to: path) }

    private static func join(_ group: String) throws { try write(getpid(), to: group) }

    private static func write(_ process: Int32, to group: String) throws {
        let file = open("\(group)/cgroup.procs", O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        let text = Array("\(process)\n".utf8)
        guard Glibc.write(file, text, text.count) == text.count else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
    }
}

/// The program that tests kill.
enum Holder {
    static let path = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "SocketHolder").path()
}

extension ChildProcess {
    static func has(_ program: String) -> Bool {
        ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].contains { access("\($0)/\(program)", X_OK) == 0 }
    }
}
#endif
