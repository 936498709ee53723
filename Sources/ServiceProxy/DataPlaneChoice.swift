/// What `--data-plane` may say.
package enum DataPlaneOption: String, Hashable, Sendable, CaseIterable {
    case auto
    case socket
    case nftables
    case userspace
}

/// The planes that there are.
package enum DataPlaneKind: String, Hashable, Sendable, CaseIterable {
    /// eBPF at the sockets of this machine.
    case socket
    /// The kernel forwards packets.
    case nftables
    /// This process relays.
    case userspace
}

/// Which planes to try, in order, and why: a pure function of the option and of what surrounds the process.
///
/// | option | in a network namespace of its own | elsewhere, or nobody can tell |
/// |---|---|---|
/// | `auto` | nftables, then userspace | userspace, which touches nothing of the host |
/// | a plane's name | that one or none | that one or none |
package struct DataPlaneChoice: Equatable, Sendable {
    /// The most wanted first; never empty.
    package let candidates: [DataPlaneKind]
    /// Why, as the second half of a sentence.
    package let reason: String

    package init(_ option: DataPlaneOption, hasOwnNetwork: Bool) {
        switch option {
        case .socket: candidates = [.socket]
        case .nftables: candidates = [.nftables]
        case .userspace: candidates = [.userspace]
        case .auto: candidates = hasOwnNetwork ? [.nftables, .userspace] : [.userspace]
        }
        switch option {
        case .socket, .nftables, .userspace: reason = "as --data-plane says"
        case .auto:
            reason =
                hasOwnNetwork
                ? "this process has a network namespace of its own"
                : "in the machine's own network namespace nothing of the machine is changed unless --data-plane says so"
        }
    }

    /// What would be faster than `kind`, and what that needs; nil for the fastest.
    package static func advice(instead kind: DataPlaneKind) -> String? {
        switch kind {
        case .socket: nil
        case .nftables: nil
        case .userspace:
            """
            faster: --data-plane nftables (libnftables, root or CAP_NET_ADMIN) or, for clients on this machine, \
            --data-plane socket (root, or CAP_BPF and CAP_NET_ADMIN; Linux 5.18, cgroup v2)
            """
        }
    }
}
