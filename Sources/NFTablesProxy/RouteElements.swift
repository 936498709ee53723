import NetTypes
import ServiceRouting

/// A route in terms of elements: a pure function of the route, of where its endpoints sit, and of its clients' numbers.
struct RouteElements {
    /// Clients that get the same verdict.
    ///
    /// The last group, without sources, is everybody else and class 0; the others are numbered in the order in which they
    /// are looked at.
    struct Group: Hashable {
        let number: Int
        let sources: [CIDR]
        let verdict: Verdict
    }

    static func groups(of route: FrontendRoute) -> [Group] {
        var groups = route.byNode.enumerated().map { Group(number: $0 + 1, sources: $1.sources, verdict: $1.verdict) }
        if route.inside != route.outside {
            groups.append(Group(number: groups.count + 1, sources: route.insideSources, verdict: route.inside))
        }
        return groups + [Group(number: 0, sources: [], verdict: route.outside)]
    }

    /// - Parameters:
    ///   - groups: those of the route.
    ///   - slots: the endpoints of each class, in the order in which they sit in the kernel's map.
    ///   - marks: the number under which clients of each class are remembered; empty without affinity.
    static func add(
        _ groups: [Group], of route: FrontendRoute, slots: [Int: [SocketEndpoint]], marks: [Int: UInt32],
        to elements: inout [Element]
    ) {
        let frontend = route.frontend
        let family = frontend.address.address.family
        func add(_ set: SetName, _ key: ElementKey, _ data: ElementData = .none) {
            elements.append(Element(family: family, set: set, key: key, data: data))
        }
        let isSpecial = !route.ignoresSource || !marks.isEmpty
        for group in groups {
            let endpoints = slots[group.number] ?? []
            let outcome = outcome(of: group.verdict, count: endpoints.count, class: group.number)
            if isSpecial {
                add(.choices(group.number), .frontend(frontend), .outcome(outcome))
                for range in outermost(group.sources, family) {
                    add(.sourceClass(group.number), .source(frontend, range))
                }
                if let mark = marks[group.number], !endpoints.isEmpty {
                    add(.sticky(group.number), .frontend(frontend), .mark(mark))
                }
            } else {
                add(.frontends, .frontend(frontend), .outcome(outcome))
            }
            let first = UInt32(group.number) * Ruleset.slotsPerClass
            for (slot, endpoint) in zip(first..., endpoints) {
                add(.endpoints, .slot(frontend, slot), .endpoint(endpoint))
            }
        }
        if isSpecial { add(.frontends, .frontend(frontend), .outcome(.special)) }
        if let allowed = route.allowedSources {
            add(.restricted, .frontend(frontend))
            for range in outermost(allowed, family) { add(.sources, .source(frontend, range)) }
        }
    }

    private static func outcome(of verdict: Verdict, count: Int, class number: Int) -> Outcome {
        switch verdict {
        case .forward: .pick(count: count, class: number)
        case .reject: .refuse
        case .drop: .drop
        }
    }

    /// Without blocks that lie in others: the kernel takes no overlapping intervals.
    static func outermost(_ blocks: [CIDR], _ family: IPFamily) -> [CIDR] {
        var result: [CIDR] = []
        for block in blocks.filter({ $0.family == family }).sorted(by: { $0.prefixLength < $1.prefixLength })
        where !result.contains(where: { $0.contains(block.network) }) {
            result.append(block)
        }
        return result
    }

    /// The endpoints of `list` in an order that leaves as many as possible where they sit in `old`.
    static func arrange(_ list: [SocketEndpoint], after old: [SocketEndpoint]) -> [SocketEndpoint] {
        if old.isEmpty { return list }
        let wanted = Set(list)
        var slots: [SocketEndpoint?] = list.indices.map { $0 < old.count && wanted.contains(old[$0]) ? old[$0] : nil }
        let seated = Set(slots.compactMap { $0 })
        var rest = list.filter { !seated.contains($0) }[...]
        for index in slots.indices where slots[index] == nil { slots[index] = rest.popFirst() }
        return slots.compactMap { $0 }
    }
}
