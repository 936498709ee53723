import LinuxKernel
import NetTypes

/// One atomic change of our tables, as netlink messages.
struct Batch {
    let bytes: [UInt8]
    /// The sequence number of the last message, whose acknowledgement says that all was done.
    let last: UInt32

    init(_ transaction: Transaction, table: String, firstSequence: UInt32) {
        let capacity = 128 * (transaction.added.count + transaction.removed.count) + 4096
        var writer = Writer(message: NetlinkMessage(capacity: capacity), sequence: firstSequence, table: table)
        writer.frame(Netlink.batchBegin)
        for timeout in transaction.timeouts { writer.write(timeout) }
        for pick in transaction.picks { writer.write(pick) }
        writer.write(transaction.removed, isNew: false)
        writer.write(transaction.added, isNew: true)
        last = writer.sequence &- 1
        writer.frame(Netlink.batchEnd)
        var bytes = writer.message.bytes
        // Only the last message is acknowledged; errors are told of all.
        if let start = writer.lastStart { bytes[start + 6] |= UInt8(Netlink.acknowledge) }
        self.bytes = bytes
    }
}

/// Puts one message of a batch behind another.
private struct Writer {
    /// Octets in one message; an attribute can have 65,535.
    private static let messageLimit = 48_000

    var message: NetlinkMessage
    /// Of the next message.
    var sequence: UInt32
    let table: String
    /// Where the last message that changes something begins.
    private(set) var lastStart: Int?

    init(message: NetlinkMessage, sequence: UInt32, table: String) {
        self.message = message
        self.sequence = sequence
        self.table = table
    }

    mutating func frame(_ type: UInt16) {
        message.begin(type: type, flags: Netlink.request, sequence: sequence, family: 0, resource: Netlink.nftables)
        message.end()
        sequence &+= 1
    }

    private mutating func put(
        _ type: UInt16, _ flags: UInt16, _ family: IPFamily, _ body: (inout NetlinkMessage) -> Void
    ) {
        lastStart = message.bytes.count
        message.begin(type: type, flags: Netlink.request | flags, sequence: sequence, family: family.netfilter)
        body(&message)
        message.end()
        sequence &+= 1
    }

    mutating func write(_ timeout: Transaction.Timeout) {
        let (table, identifier) = (table, sequence)
        put(Netlink.newSet, Netlink.create, timeout.family) {
            RuleMessages.set(of: timeout, table: table, identifier: identifier, to: &$0)
        }
        put(Netlink.newRule, Netlink.create | Netlink.append, timeout.family) {
            RuleMessages.remember(timeout, table: table, to: &$0)
        }
    }

    mutating func write(_ pick: Transaction.Pick) {
        let table = table
        put(Netlink.newChain, Netlink.create, pick.family) { RuleMessages.chain(of: pick, table: table, to: &$0) }
        for rule in [RuleMessages.claim, RuleMessages.choose] {
            put(Netlink.newRule, Netlink.create | Netlink.append, pick.family) { rule(pick, table, &$0) }
        }
    }

    mutating func write(_ elements: [Element], isNew: Bool) {
        let table = table
        for group in Self.groups(of: elements) {
            var rest = group.members[...]
            while !rest.isEmpty {
                let type = isNew ? Netlink.newElement : Netlink.deleteElement
                put(type, isNew ? Netlink.create : 0, group.family) { message in
                    message.attribute(1, table)
                    message.attribute(2, group.set.description)
                    message.nested(3) { message in
                        while message.messageLength < Self.messageLimit, let index = rest.popFirst() {
                            ElementCodec.write(elements[index], withData: isNew, to: &message)
                        }
                    }
                }
            }
        }
    }

    /// Elements of the same set, which can share a message; in the order of their first ones.
    private static func groups(of elements: [Element]) -> [Group] {
        // There are few, so that to look for one beats to hash.
        var groups: [Group] = []
        for (index, element) in elements.enumerated() {
            if let group = groups.firstIndex(where: { $0.set == element.set && $0.family == element.family }) {
                groups[group].members.append(index)
            } else {
                groups.append(Group(family: element.family, set: element.set, members: [index]))
            }
        }
        return groups
    }

    private struct Group {
        let family: IPFamily
        let set: SetName
        /// Where they are among all elements.
        var members: [Int]
    }
}

extension IPFamily {
    /// As netfilter numbers it.
    var netfilter: UInt8 { self == .v4 ? Netlink.ipv4 : Netlink.ipv6 }
}
