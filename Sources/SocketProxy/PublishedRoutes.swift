import NetTypes
import ServiceRouting

/// What the kernel's maps hold, and what has to be written to change it: no I/O.
///
/// Routes whose outcome depends on who asks (source ranges, verdicts that differ, drops) are not published: the plane beneath
/// serves them. Ports of this machine, those of nodes and published ones, are published while the plane beneath has them:
/// what another program listens at is that program's.
struct PublishedRoutes {
    /// An endpoint of a Service port, by which it is counted.
    struct EndpointKey: Hashable {
        let port: ServicePortID
        let endpoint: SocketEndpoint
    }

    /// What one change comes to.
    struct Update {
        var changes: [RouteChange] = []
        /// Endpoints that are new or have another name.
        var named: [UInt32: (key: EndpointKey, endpoint: RoutedEndpoint)] = [:]
        /// Endpoints that serve no more: datagram sockets connected to them have to move.
        var retired: [UInt32: EndpointKey] = [:]
        /// Datagram frontends that refused clients before and do so no longer.
        var recovered: Set<Frontend> = []
    }

    /// A route as the maps have it.
    private struct Published {
        let route: FrontendRoute
        let record: RouteRecord
        let list: ListKey?
        let endpoints: [EndpointKey]
    }

    /// What a list of endpoints is shared by.
    private struct ListKey: Hashable {
        let port: ServicePortID
        let endpoints: EndpointList
        let family: IPFamily
        let hasMembers: Bool
    }

    /// What an affinity's memory is shared by.
    private struct PortKey: Hashable {
        let port: ServicePortID
        let affinity: Duration
    }

    /// Something with a number that several routes use.
    private struct Shared {
        let number: UInt32
        var users: Int
    }

    /// Addresses that somebody else serves, whatever the table says.
    private let exempt: Set<IPAddress>
    private var published: [Frontend: Published] = [:]
    /// Ports of this machine that the plane beneath could not get.
    private var occupied: [Frontend: FrontendRoute] = [:]
    private var lists: [ListKey: Shared] = [:]
    private var endpoints: [EndpointKey: Shared] = [:]
    private var ports: [PortKey: Shared] = [:]
    private(set) var slotCount = 0
    private var lastNumber: UInt32

    /// - Parameter reserved: numbers up to this one are not given to endpoints.
    init(exempt: Set<IPAddress> = [], reserved: UInt32 = 2) {
        self.exempt = exempt
        lastNumber = reserved
    }

    var routeCount: Int { published.count }
    var endpointCount: Int { endpoints.count }

    func isPublished(_ frontend: Frontend) -> Bool { published[frontend] != nil }

    /// Whether the programs can serve a route as it must be served.
    func canPublish(_ route: FrontendRoute) -> Bool {
        let address = route.frontend.address.address
        guard route.ignoresSource, route.outside != .drop, route.frontend.proto != .sctp, !exempt.contains(address),
            route.outside.endpoints.allSatisfy({ $0.address.address.family == address.family })
        else { return false }
        return switch route.kind {
        case .clusterIP, .externalIP, .loadBalancer: true
        // Nobody listens at a port that refuses, so another program may begin to.
        case .nodePort, .localhost: route.outside != .reject
        }
    }

    /// Takes a change in.
    ///
    /// - Parameter unserved: what the plane beneath does not serve after the same change.
    mutating func apply(_ diff: RoutingDiff, unserved: Set<Frontend> = []) -> Update {
        var update = Update()
        var gone = diff.removed
        if diff.isComplete {
            let wanted = Set(diff.changed.map(\.frontend))
            gone = published.keys.filter { !wanted.contains($0) }.sorted()
            occupied = [:]
        }
        let changed = follow(diff, unserved)
        // What is new first, so that what stays in use keeps its numbers.
        var old: [Published] = []
        var switches: [RouteChange] = []
        for route in changed {
            guard occupied[route.frontend] == nil, canPublish(route) else {
                gone.append(route.frontend)
                continue
            }
            let before = published[route.frontend]
            guard before?.route != route else { continue }
            let now = acquire(route, &update)
            if before?.record != now.record { switches.append(.setRoute(route.frontend, now.record)) }
            if let before {
                old.append(before)
                if before.record.count == 0, now.record.count > 0, route.frontend.proto == .udp {
                    update.recovered.insert(route.frontend)
                }
            }
            published[route.frontend] = now
        }
        for frontend in gone {
            guard let before = published.removeValue(forKey: frontend) else { continue }
            old.append(before)
            switches.append(.removeRoute(frontend))
            if before.record.count == 0, frontend.proto == .udp { update.recovered.insert(frontend) }
        }
        update.changes += switches
        for route in old { release(route, &update) }
        return update
    }

    /// The changed routes, and those of ports that are no longer occupied.
    private mutating func follow(_ diff: RoutingDiff, _ unserved: Set<Frontend>) -> [FrontendRoute] {
        for frontend in diff.removed { occupied[frontend] = nil }
        for route in diff.changed { occupied[route.frontend] = nil }
        let freed = occupied.values.filter { !unserved.contains($0.frontend) }
        for route in freed { occupied[route.frontend] = nil }
        for route in diff.changed where unserved.contains(route.frontend) && route.kind.isOfThisMachine {
            occupied[route.frontend] = route
        }
        return diff.changed + freed.sorted { $0.frontend < $1.frontend }
    }

    /// Every write that fills empty maps with the present state.
    var everything: [RouteChange] {
        var changes = endpoints.map { RouteChange.addEndpoint($0.value.number, $0.key.endpoint) }
        for (key, list) in lists { changes += slots(of: key, list.number) }
        for (frontend, published) in published { changes.append(.setRoute(frontend, published.record)) }
        return changes
    }

    // MARK: - Numbers

    private mutating func acquire(_ route: FrontendRoute, _ update: inout Update) -> Published {
        let known = route.outside.endpoints
        let names = Dictionary(known.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
        let all = route.reachable.union(route.serving).sorted()
        let keys = all.map { EndpointKey(port: route.port, endpoint: $0) }
        for key in keys {
            if endpoints[key] == nil {
                let number = nextNumber()
                endpoints[key] = Shared(number: number, users: 0)
                update.named[number] = (key, RoutedEndpoint(address: key.endpoint))
                update.changes.append(.addEndpoint(number, key.endpoint))
            }
            endpoints[key]?.users += 1
            if let number = endpoints[key]?.number, let name = names[key.endpoint] {
                update.named[number] = (key, name)
            }
        }
        guard case .forward(let list) = route.outside else {
            let record = RouteRecord(list: 0, count: 0, servicePort: 0, affinitySeconds: 0, reason: .random)
            return Published(route: route, record: record, list: nil, endpoints: keys)
        }
        let key = ListKey(
            port: route.port, endpoints: list, family: route.frontend.address.address.family,
            hasMembers: route.affinity != nil)
        if lists[key] == nil {
            let number = nextNumber()
            lists[key] = Shared(number: number, users: 0)
            let slots = slots(of: key, number)
            slotCount += slots.count
            update.changes += slots
        }
        lists[key]?.users += 1
        var servicePort: UInt32 = 0
        if let affinity = route.affinity {
            // Another timeout starts with no memory, as in the other planes.
            let key = PortKey(port: route.port, affinity: affinity)
            if ports[key] == nil { ports[key] = Shared(number: nextNumber(), users: 0) }
            ports[key]?.users += 1
            servicePort = ports[key]?.number ?? 0
        }
        let isOnly = list.endpoints.count == 1
        let record = RouteRecord(
            list: lists[key]?.number ?? 0, count: UInt32(list.endpoints.count), servicePort: servicePort,
            affinitySeconds: route.affinity.map { UInt32(clamping: max(1, $0.components.seconds)) } ?? 0,
            reason: list.isTerminatingFallback ? .terminatingFallback : isOnly ? .onlyReadyEndpoint : .random)
        return Published(route: route, record: record, list: key, endpoints: keys)
    }

    private mutating func release(_ old: Published, _ update: inout Update) {
        if let affinity = old.route.affinity, old.list != nil {
            _ = Self.leave(PortKey(port: old.route.port, affinity: affinity), &ports)
        }
        if let key = old.list, let gone = slotsIfUnused(key) {
            slotCount -= gone.count
            for slot in gone { if let removal = Self.removal(of: slot) { update.changes.append(removal) } }
        }
        for key in old.endpoints {
            guard let number = Self.leave(key, &endpoints) else { continue }
            update.retired[number] = key
            update.changes.append(.removeEndpoint(number))
        }
    }

    private mutating func slotsIfUnused(_ key: ListKey) -> [RouteChange]? {
        // Asked before the list goes: its slots are named by the endpoints' numbers.
        guard let list = lists[key] else { return nil }
        let gone = slots(of: key, list.number)
        return Self.leave(key, &lists) == nil ? nil : gone
    }

    /// The number of what nobody uses any more.
    private static func leave<Key>(_ key: Key, _ table: inout [Key: Shared]) -> UInt32? {
        guard var shared = table[key] else { return nil }
        shared.users -= 1
        table[key] = shared.users > 0 ? shared : nil
        return shared.users > 0 ? nil : shared.number
    }

    private func slots(of key: ListKey, _ number: UInt32) -> [RouteChange] {
        let numbers: [UInt32] = key.endpoints.endpoints.map { endpoint in
            endpoints[EndpointKey(port: key.port, endpoint: endpoint.address)]?.number ?? 0
        }
        var changes: [RouteChange] = []
        for (index, endpoint) in numbers.enumerated() {
            changes.append(.addSlot(list: number, index: UInt32(index), endpoint: endpoint))
        }
        if key.hasMembers {
            for endpoint in numbers { changes.append(.addMember(list: number, endpoint: endpoint)) }
        }
        return changes
    }

    private static func removal(of change: RouteChange) -> RouteChange? {
        switch change {
        case .addSlot(let list, let index, _): .removeSlot(list: list, index: index)
        case .addMember(let list, let endpoint): .removeMember(list: list, endpoint: endpoint)
        default: nil
        }
    }

    /// Two thousand million of them: years at any rate of change that a store can bear.
    private mutating func nextNumber() -> UInt32 {
        lastNumber = lastNumber == 0x7FFF_FFFF ? 3 : lastNumber + 1
        return lastNumber
    }
}
