/// Why the socket plane cannot start, with what helps.
package enum SocketPlaneFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kernel's release, as `uname -r` prints it.
    case kernelTooOld(String)
    /// No file system of control groups, version 2, is mounted.
    case noControlGroups
    /// The path that was asked for is not a folder of that file system.
    case notAControlGroup(String)
    /// What was refused.
    case notPermitted(String)
    /// Anything else, with the kernel's words.
    case kernel(String)

    package var description: String { "the socket data plane cannot start: \(reason)" }

    private var reason: String {
        switch self {
        case .kernelTooOld(let release):
            "it needs Linux 5.18 or newer, and this is \(release). Remedies: a newer kernel; or --data-plane userspace"
        case .noControlGroups:
            """
            no cgroup2 file system is mounted. Remedies: mount one with mkdir -p /sys/fs/cgroup/unified && mount -t \
            cgroup2 none /sys/fs/cgroup/unified; in a container mount /sys/fs/cgroup of the host; or --data-plane userspace
            """
        case .notAControlGroup(let path):
            """
            \(path) is not a control group of version 2. Remedies: name a folder below the cgroup2 mount \
            (mount -t cgroup2 shows it) with --socket-cgroup; or leave that option out
            """
        case .notPermitted(let what):
            """
            \(what) is not permitted: that takes CAP_BPF and CAP_NET_ADMIN. Remedies: run as root; give the program \
            the rights with setcap cap_bpf,cap_net_admin,cap_net_bind_service+ep; in a container add both capabilities; \
            or --data-plane userspace
            """
        case .kernel(let message): "\(message). Remedy: --data-plane userspace"
        }
    }
}
