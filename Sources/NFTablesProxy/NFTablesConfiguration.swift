package import NetTypes

/// How the nftables plane is set up.
package struct NFTablesConfiguration: Sendable {
    /// Tells proxies in the same network namespace apart; 0 for the only one.
    ///
    /// Who starts with the same number removes the tables of the one before. Each has 65,535 marks, one per Service port
    /// with affinity.
    package var instance: UInt8 = 0
    /// Addresses whose connections are left alone even if a Service has them, because this process serves them itself: the
    /// DNS server's.
    package var exemptAddresses: Set<IPAddress> = []
    /// Families in which clients and endpoints are on other machines or in other containers, so that packets are passed on.
    package var forwardedFamilies: Set<IPFamily> = []
    /// The most nodes beside the first one whose clients a route treats differently.
    package var otherNodes = 0
    /// The file name of libnftables.
    package var library = "libnftables.so.1"

    package init() {}

    /// The name of our two tables, `ip` and `ip6`.
    var table: String { instance == 0 ? "kiada" : "kiada-\(instance)" }
}

/// Why the nftables plane cannot start, with what helps.
package enum NFTablesPlaneFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// libnftables is not installed.
    case libraryMissing(String)
    /// CAP_NET_ADMIN is missing.
    case notPermitted
    /// The kernel does not pass on packets between machines, as this setting says.
    case notForwarding(setting: String)
    /// The kernel lacks something, in its own words or those of libnftables.
    case kernel(String)

    package var description: String { "the nftables data plane cannot start: \(reason)" }

    private var reason: String {
        switch self {
        case .libraryMissing(let file):
            """
            \(file) cannot be loaded. Remedies: install it (apt-get install nftables); or --data-plane userspace
            """
        case .notPermitted:
            """
            changing the kernel's tables is not permitted: that takes CAP_NET_ADMIN. Remedies: run as root; in a container \
            add the capability (docker run --cap-add NET_ADMIN, cap_add in compose); or --data-plane userspace
            """
        case .notForwarding(let setting):
            """
            the kernel does not pass on packets (\(setting) is 0). Remedies: sysctl \(setting)=1, or for a container \
            docker run --sysctl \(setting)=1 (sysctls in compose); or --data-plane userspace
            """
        case .kernel(let message):
            """
            the kernel or libnftables refuses: \(message). It takes Linux 5.13 with nf_tables, NAT and connection \
            tracking, and libnftables 1.0.1 (modprobe nf_tables nft_nat nft_masq nft_numgen nft_fib nft_reject nf_conntrack_netlink). Remedy: \
            --data-plane userspace
            """
        }
    }
}
