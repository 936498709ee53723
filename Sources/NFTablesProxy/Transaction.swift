import NetTypes
import ServiceRouting

/// What has to be done to the kernel's tables; ``steps`` says in which order.
struct Transaction: Equatable {
    /// Chains that have to be made.
    var picks: [Pick] = []
    /// Affinity timeouts whose set and rule have to be made.
    var timeouts: [Timeout] = []
    var removed: [Element] = []
    var added: [Element] = []
    /// Whose the slots in `removed` were: their counts are kept.
    var oldPorts: [Frontend: ServicePortID] = [:]
    /// Numbers of affinity whose clients may go to no other than these endpoints any more.
    var narrowed: [UInt32: Set<SocketEndpoint>] = [:]
    /// UDP frontends whose flows may go to no other than these endpoints any more.
    var movedFlows: [Frontend: Set<SocketEndpoint>] = [:]

    /// A choice among `count` endpoints, for clients of class `number`.
    struct Pick: Hashable {
        let count: Int
        let number: Int
        let family: IPFamily

        var name: String { Ruleset.pickName(count, class: number) }
    }

    /// How long clients are remembered: a set and a rule of its own.
    struct Timeout: Hashable {
        let seconds: Int64
        let family: IPFamily
    }

    /// Whether the tables stay as they are.
    var changesNothing: Bool { picks.isEmpty && timeouts.isEmpty && removed.isEmpty && added.isEmpty }
}

extension Transaction {
    /// One to three changes that the kernel makes one after the other, each at once.
    ///
    /// The kernel looks at its state anew for each lookup, so a packet may find its frontend before a change and its slot
    /// after it. What a frontend's verdict leads to is therefore there before the verdict, and goes after it.
    var steps: [Transaction] {
        let going = Set(removed.lazy.filter(\.isBehindVerdict).map(\.place))
        // In the first load nothing goes, and there are many elements to come.
        let coming = removed.isEmpty ? [] : Set(added.lazy.filter(\.isBehindVerdict).map(\.place))
        var (first, second, third) = (Transaction(), Transaction(), Transaction())
        let behind = added.count { $0.isBehindVerdict }
        first.added.reserveCapacity(behind)
        second.added.reserveCapacity(added.count - behind)
        for element in added {
            if element.isBehindVerdict, !going.contains(element.place) {
                first.added.append(element)
            } else {
                second.added.append(element)
            }
        }
        for element in removed {
            if element.isBehindVerdict, !coming.contains(element.place) {
                third.removed.append(element)
            } else {
                second.removed.append(element)
            }
        }
        if first.added.isEmpty {
            (second.picks, second.timeouts) = (picks, timeouts)
        } else {
            (first.picks, first.timeouts) = (picks, timeouts)
        }
        return [first, second, third].filter { !$0.changesNothing }
    }

    /// The same in parts that may be committed one after the other: of what only adds, the first ones are small.
    ///
    /// Frontends come last, when everything is there that has a say about their clients. The kernel's hash tables grow only
    /// between our system calls, by a worker on the same processor: elements that come faster end up in long chains, and each
    /// of them calls for the worker again (docs/benchmarks.md).
    var parts: [Transaction] {
        guard removed.isEmpty, added.count > Self.firstPart else { return [self] }
        var parts: [Transaction] = []
        let ordered = added.filter { $0.set != .frontends } + added.filter { $0.set == .frontends }
        var (rest, size) = (ordered[...], Self.firstPart)
        while !rest.isEmpty {
            var part = Transaction()
            part.added = Array(rest.prefix(size))
            parts.append(part)
            rest = rest.dropFirst(size)
            size *= 2
        }
        (parts[0].picks, parts[0].timeouts) = (picks, timeouts)
        return parts
    }

    /// Elements in the first part.
    static let firstPart = 1024

    /// Leaves out elements that go and come back the same.
    mutating func cancelOut() {
        guard !removed.isEmpty else { return }
        var coming: [Element.Place: ElementData] = [:]
        for element in added { coming[element.place] = element.data }
        var unchanged: Set<Element.Place> = []
        var going: Set<Element.Place> = []
        removed = removed.filter { element in
            guard coming[element.place] == element.data else { return going.insert(element.place).inserted }
            unchanged.insert(element.place)
            return false
        }
        if !unchanged.isEmpty { added.removeAll { unchanged.contains($0.place) } }
    }
}
