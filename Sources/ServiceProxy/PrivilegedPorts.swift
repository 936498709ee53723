import FoundationEssentials
import Glibc

/// Whether this process may listen on ports below 1024, as Services and pods on port 80 need it.
package enum PrivilegedPorts {
    private static let netBindService: UInt64 = 1 << 10

    /// What is missing and how to get it; nil when all is well.
    package static func problem() -> String? {
        let first =
            (try? String(contentsOf: URL(filePath: "/proc/sys/net/ipv4/ip_unprivileged_port_start"), encoding: .utf8))
            .flatMap { Int($0.filter(\.isNumber)) }
        if geteuid() == 0 || (first ?? 1024) <= 80 || hasCapability() { return nil }
        return """
            ports below 1024 are not allowed to this user, and Services listen on 80 and 443. Any of these helps:
              - run as root: sudo make up
              - allow the ports: sudo sysctl net.ipv4.ip_unprivileged_port_start=80
              - allow the program: sudo setcap cap_net_bind_service=+ep $(readlink -f .build/release/kiada-suite)
            """
    }

    private static func hasCapability() -> Bool {
        let status = (try? String(contentsOf: URL(filePath: "/proc/self/status"), encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let bits = line.flatMap { UInt64($0.dropFirst(7).filter { !$0.isWhitespace }, radix: 16) } ?? 0
        return bits & netBindService != 0
    }
}
