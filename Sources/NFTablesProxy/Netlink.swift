import LinuxKernel

/// Numbers of <linux/netlink.h>, <linux/netfilter/nfnetlink.h>, nf_tables.h and nfnetlink_conntrack.h.
enum Netlink {
    static let request: UInt16 = 0x1
    static let acknowledge: UInt16 = 0x4
    static let dump: UInt16 = 0x300
    static let create: UInt16 = 0x400
    static let append: UInt16 = 0x800

    static let error: UInt16 = 2
    static let done: UInt16 = 3
    static let batchBegin: UInt16 = 0x10
    static let batchEnd: UInt16 = 0x11
    static let nftables: UInt16 = 10
    static let conntrack: UInt16 = 1

    static let newChain = nftables << 8 | 3
    static let newRule = nftables << 8 | 6
    static let newSet = nftables << 8 | 9
    static let newElement = nftables << 8 | 12
    static let getElement = nftables << 8 | 13
    static let deleteElement = nftables << 8 | 14
    static let getConnection = conntrack << 8 | 1
    static let deleteConnection = conntrack << 8 | 2

    static let ipv4: UInt8 = 2
    static let ipv6: UInt8 = 10
}

extension NetlinkMessage {
    /// Starts a message of the netfilter family, whose header is `nfgenmsg`.
    mutating func begin(type: UInt16, flags: UInt16, sequence: UInt32, family: UInt8, resource: UInt16 = 0) {
        begin(
            type: type, flags: flags, sequence: sequence,
            header: [family, 0, UInt8(resource >> 8), UInt8(resource & 255)])
    }
}
