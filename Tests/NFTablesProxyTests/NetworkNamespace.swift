#if os(Linux)
import CLinux
import Foundation
import Glibc
import KiadaTesting

/// A network namespace for the tests of a whole process.
///
/// Rules, connection table and loopback belong to a namespace, and a thread cannot take the others of its process along. So
/// the suites that change rules run in a second process: this same test program, started again within a namespace that
/// is made for it and that ends with it.
enum NetworkNamespace {
    private static let marker = "KIADA_TEST_NAMESPACE"

    /// What the second process may do.
    enum Rights: String {
        /// Everything in its namespace.
        case all
        /// Everything but changing the network.
        case withoutNetAdmin
    }

    /// nil in the first process.
    static let rights = ProcessInfo.processInfo.environment[marker].flatMap(Rights.init)

    /// Why the second process cannot do its work; nil when it can.
    static let obstacle: String? = {
        guard geteuid() == 0 else { return "making a network namespace takes root" }
        let programs = [("nft", "nftables"), ("ip", "iproute2"), ("unshare", "util-linux"), ("setpriv", "util-linux")]
        for (program, package) in programs {
            let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
            guard folders.contains(where: { access("\($0)/\(program)", X_OK) == 0 }) else {
                return "\(program) is missing (Debian package \(package))"
            }
        }
        return nil
    }()

    /// Runs the tests whose names match `filter` in a namespace of their own, loopback up.
    static func run(filter: String, _ rights: Rights = .all) async throws -> ChildProcess.Exit {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        // As swift test has started this process, but for its choice of tests.
        var arguments = Array(CommandLine.arguments.dropFirst())
        for option in ["--filter", "--skip", "--event-stream-output-path", "--configuration-path", "--xunit-output"] {
            while let index = arguments.firstIndex(of: option) {
                arguments.removeSubrange(index...min(index + 1, arguments.endIndex - 1))
            }
        }
        if !arguments.contains("--testing-library") { arguments += ["--testing-library", "swift-testing"] }
        arguments += ["--filter", filter]
        var environment = ProcessInfo.processInfo.environment
        environment[marker] = rights.rawValue
        environment["PATH"] = "/usr/sbin:/sbin:" + (environment["PATH"] ?? "/usr/bin:/bin")
        let less = rights == .withoutNetAdmin ? "setpriv --bounding-set -net_admin " : ""
        // A /run of its own: named namespaces end with it.
        let script = "mount -t tmpfs none /run && ip link set lo up && exec \(less)\"$0\" \"$@\""
        return try await ChildProcess.run(
            "unshare", ["--net", "--mount", "sh", "-c", script, program] + arguments, environment: environment)
    }

    /// Runs `body` in a namespace that `ip netns` has made: sockets that it opens stay there.
    static func enter<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
        let own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        let other = open("/run/netns/\(name)", O_RDONLY | O_CLOEXEC)
        defer {
            setns(own, 0)
            close(own)
            close(other)
        }
        guard setns(other, 0) == 0 else { throw EnterFailure(name: name, code: errno) }
        return try body()
    }

    private struct EnterFailure: Error {
        let name: String
        let code: Int32
    }
}
#endif
