import LinuxKernel
import NetTypes

/// One atomic change of our tables, as netlink messages.
struct Batch {
    private(set) var bytes: [UInt8]
    /// The sequence number of the last message, whose acknowledgement says that all was done.
    let last: UInt32

    /// Octets in one message; an attribute can have 65,535.
    private static let messageLimit = 48_000

    init(_ transaction: Transaction, table: String, firstSequence: UInt32) {
        var message = NetlinkMessage(capacity: 128 * (transaction.added.count + transaction.removed.count) + 4096)
        var sequence = firstSequence
        func frame(_ type: UInt16) {
            message.begin(
                type: type, flags: Netlink.request, sequence: sequence, family: 0, resource: Netlink.nftables)
            message.end()
            sequence &+= 1
        }
        var starts: [Int] = []
        func begin(_ type: UInt16, _ flags: UInt16, _ family: IPFamily) {
            starts.append(message.bytes.count)
            message.begin(
                type: type, flags: Netlink.request | flags, sequence: sequence, family: family.netfilter)
        }
        func end() {
            message.end()
            sequence &+= 1
        }
        frame(Netlink.batchBegin)
        for dispatch in transaction.dispatches {
            begin(Netlink.newRule, Netlink.create | (dispatch.isLast ? Netlink.append : 0), dispatch.family)
            RuleMessages.dispatch(dispatch, table: table, to: &message)
            end()
        }
        for timeout in transaction.timeouts {
            begin(Netlink.newSet, Netlink.create, timeout.family)
            RuleMessages.set(of: timeout, table: table, identifier: sequence, to: &message)
            end()
            begin(Netlink.newRule, Netlink.create | Netlink.append, timeout.family)
            RuleMessages.remember(timeout, table: table, to: &message)
            end()
        }
        for pick in transaction.picks {
            begin(Netlink.newChain, Netlink.create, pick.family)
            RuleMessages.chain(of: pick, table: table, to: &message)
            end()
            for rule in [RuleMessages.claim, RuleMessages.choose] {
                begin(Netlink.newRule, Netlink.create | Netlink.append, pick.family)
                rule(pick, table, &message)
                end()
            }
        }
        for (type, elements) in [(Netlink.deleteElement, transaction.removed), (Netlink.newElement, transaction.added)]
        {
            let isNew = type == Netlink.newElement
            for (group, elements) in Self.groups(of: elements) {
                var rest = elements[...]
                while !rest.isEmpty {
                    begin(type, isNew ? Netlink.create : 0, group.family)
                    message.attribute(1, table)
                    message.attribute(2, group.set.description)
                    message.nested(3) { message in
                        while message.messageLength < Self.messageLimit, let element = rest.popFirst() {
                            ElementCodec.write(element, withData: isNew, to: &message)
                        }
                    }
                    end()
                }
            }
        }
        last = sequence &- 1
        bytes = []
        frame(Netlink.batchEnd)
        bytes = message.bytes
        // Only the last message is acknowledged; errors are told of all.
        if let start = starts.last { bytes[start + 6] |= UInt8(Netlink.acknowledge) }
    }

    /// Elements of the same set, which can share a message.
    private static func groups(of elements: [Element]) -> [Group: [Element]] {
        var result: [Group: [Element]] = [:]
        var rest = elements[...]
        // Mostly there are long runs.
        while let first = rest.first {
            let run = rest.prefix { $0.set == first.set && $0.family == first.family }
            result[Group(family: first.family, set: first.set), default: []] += run
            rest = rest[run.endIndex...]
        }
        return result
    }

    /// What elements have in common that share a message.
    private struct Group: Hashable {
        let family: IPFamily
        let set: SetName
    }
}

extension IPFamily {
    /// As netfilter numbers it.
    var netfilter: UInt8 { self == .v4 ? Netlink.ipv4 : Netlink.ipv6 }
}
