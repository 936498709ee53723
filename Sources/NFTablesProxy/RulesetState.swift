import NetTypes
import ServiceRouting

/// What the kernel's tables hold, and how that changes: no I/O.
struct RulesetState {
    private(set) var served: [Frontend: Served] = [:]
    private var affinities: [AffinityKey: Affinity] = [:]
    private var freeMarks: [UInt32] = []
    /// Numbers that are free once the kernel has forgotten their clients: after the change at hand.
    private var releasedMarks: [UInt32] = []
    private var nextMark: UInt32
    private var addressUsers: [IPAddress: Int] = [:]
    /// What is made once and stays.
    private var picks: Set<Transaction.Pick> = []
    private var timeouts: Set<Transaction.Timeout> = []

    /// A route as the kernel has it: where its endpoints sit, and its clients' numbers, by class.
    struct Served {
        var route: FrontendRoute
        var slots: [Int: [SocketEndpoint]]
        var marks: [Int: UInt32]
    }

    /// Frontends of one Service port share their clients' endpoints (7.7), as far as they choose from the same list.
    private struct AffinityKey: Hashable {
        let port: ServicePortID
        let family: IPFamily
        let list: List

        /// Which of a port's lists clients choose from.
        enum List: Hashable {
            case cluster
            case local
            case node(Int)
        }
    }

    /// The number under which clients are remembered, and who uses it.
    private struct Affinity {
        let mark: UInt32
        var timeout: Int64
        var users = 0
    }

    init(firstMark: UInt32) { nextMark = firstMark }

    /// Puts a difference in, and says what the kernel has to change.
    mutating func apply(removed: [Frontend], changed: [FrontendRoute]) -> Transaction {
        var transaction = Transaction()
        freeMarks += releasedMarks
        releasedMarks = []
        // Everything that goes, before everything that comes: a timeout's set may lose and get the same number.
        for frontend in removed {
            guard let old = served.removeValue(forKey: frontend) else { continue }
            transaction.removed += take(old, &transaction)
            if frontend.proto == .udp { transaction.movedFlows[frontend] = [] }
        }
        served.reserveCapacity(served.count + changed.count)
        for route in changed { put(route, &transaction) }
        transaction.cancelOut()
        return transaction
    }

    private mutating func put(_ route: FrontendRoute, _ transaction: inout Transaction) {
        let old = served[route.frontend]
        guard old?.route != route else { return }
        let groups = RouteElements.groups(of: route)
        var slots: [Int: [SocketEndpoint]] = [:]
        for group in groups where !group.verdict.endpoints.isEmpty {
            slots[group.number] = RouteElements.arrange(
                group.verdict.endpoints.map(\.address), after: old?.slots[group.number] ?? [])
        }
        // What is needed anew is taken before the old is given back, so that a number in use stays.
        var new = Served(route: route, slots: slots, marks: [:])
        give(&new, groups, &transaction)
        if let old { transaction.removed += take(old, &transaction) }
        served[route.frontend] = new
        makeChains(for: new, &transaction)
        guard !new.marks.isEmpty || route.frontend.proto == .udp else { return }
        let reachable = route.reachable
        for mark in Set(new.marks.values) {
            let isNarrower = old.map { !$0.route.reachable.isSubset(of: reachable) } ?? false
            if isNarrower { transaction.narrowed[mark] = reachable }
        }
        guard route.frontend.proto == .udp else { return }
        let mayStay = reachable.union(route.serving)
        let before = old.map { $0.route.reachable.union($0.route.serving) }
        if before.map({ $0.isEmpty || !$0.isSubset(of: mayStay) }) ?? true {
            transaction.movedFlows[route.frontend] = mayStay
        }
    }

    /// Counts the users of what routes share, and adds all elements of the route.
    private mutating func give(
        _ new: inout Served, _ groups: [RouteElements.Group], _ transaction: inout Transaction
    ) {
        let family = new.route.frontend.address.address.family
        if let timeout = new.route.affinity?.components.seconds, timeout > 0 {
            for group in groups where new.slots[group.number] != nil {
                let key = key(new.route, group.number)
                var affinity = affinities[key] ?? Affinity(mark: freeMark(), timeout: timeout)
                if affinity.users > 0, affinity.timeout != timeout {
                    transaction.removed.append(Self.timeout(affinity, family))
                }
                if affinity.users == 0 || affinity.timeout != timeout {
                    affinity.timeout = timeout
                    transaction.added.append(Self.timeout(affinity, family))
                }
                affinity.users += 1
                affinities[key] = affinity
                new.marks[group.number] = affinity.mark
            }
        }
        if new.route.kind == .clusterIP {
            let address = new.route.frontend.address.address
            addressUsers[address, default: 0] += 1
            if addressUsers[address] == 1 {
                transaction.added.append(Element(family: family, set: .addresses, key: .address(address)))
            }
        }
        RouteElements.add(groups, of: new.route, slots: new.slots, marks: new.marks, to: &transaction.added)
    }

    /// Gives back what a route has used, and lists the elements that go with it.
    private mutating func take(_ old: Served, _ transaction: inout Transaction) -> [Element] {
        let family = old.route.frontend.address.address.family
        transaction.oldPorts[old.route.frontend] = old.route.port
        var elements: [Element] = []
        RouteElements.add(
            RouteElements.groups(of: old.route), of: old.route, slots: old.slots, marks: old.marks, to: &elements)
        for number in old.marks.keys {
            let key = key(old.route, number)
            guard var affinity = affinities[key] else { continue }
            affinity.users -= 1
            affinities[key] = affinity.users > 0 ? affinity : nil
            guard affinity.users == 0 else { continue }
            elements.append(Self.timeout(affinity, family))
            releasedMarks.append(affinity.mark)
            transaction.narrowed[affinity.mark] = []
        }
        if old.route.kind == .clusterIP {
            let address = old.route.frontend.address.address
            let users = (addressUsers[address] ?? 0) - 1
            addressUsers[address] = users > 0 ? users : nil
            if users <= 0 { elements.append(Element(family: family, set: .addresses, key: .address(address))) }
        }
        return elements
    }

    private mutating func makeChains(for new: Served, _ transaction: inout Transaction) {
        let family = new.route.frontend.address.address.family
        for (number, slots) in new.slots
        where !picks.contains(Transaction.Pick(count: slots.count, number: number, family: family)) {
            let isCommon = Ruleset.commonCounts.contains(slots.count)
            for count in isCommon ? Ruleset.commonCounts : slots.count...slots.count {
                makeChain(Transaction.Pick(count: count, number: number, family: family), &transaction)
            }
        }
        guard !new.marks.isEmpty, let seconds = new.route.affinity?.components.seconds else { return }
        let timeout = Transaction.Timeout(seconds: seconds, family: family)
        if timeouts.insert(timeout).inserted { transaction.timeouts.append(timeout) }
    }

    private mutating func makeChain(_ pick: Transaction.Pick, _ transaction: inout Transaction) {
        guard picks.insert(pick).inserted else { return }
        transaction.picks.append(pick)
        let outcome = Outcome.pick(count: pick.count, class: pick.number)
        for isLast in [false, true] {
            let set = SetName.outcomes(isLast: isLast)
            transaction.added.append(
                Element(family: pick.family, set: set, key: .outcome(outcome), data: .verdict(outcome)))
        }
    }

    /// Clients of other nodes choose from lists of their own; those inside from the same as with Cluster policy.
    private func key(_ route: FrontendRoute, _ number: Int) -> AffinityKey {
        let isLocal = number == 0 && route.inside != route.outside
        let isOtherNode = (1...).prefix(route.byNode.count).contains(number)
        return AffinityKey(
            port: route.port, family: route.frontend.address.address.family,
            list: isLocal ? .local : isOtherNode ? .node(number) : .cluster)
    }

    private static func timeout(_ affinity: Affinity, _ family: IPFamily) -> Element {
        Element(family: family, set: .timeout(affinity.timeout), key: .mark(affinity.mark))
    }

    private mutating func freeMark() -> UInt32 {
        if let mark = freeMarks.popLast() { return mark }
        defer { nextMark += 1 }
        return nextMark
    }
}
