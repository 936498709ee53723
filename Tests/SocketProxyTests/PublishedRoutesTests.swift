import NetTypes
import ServiceRouting
import Testing

@testable import SocketProxy

/// Address plan: frontends 10.96.0.n:80, endpoints 10.1.0.n:8080.
struct PublishedRoutesTests {
    private static func endpoint(_ number: UInt32) -> SocketEndpoint {
        SocketEndpoint(address: .v4(IPv4Address(bits: 0x0A01_0000 + number)), port: 8080)
    }

    private static func route(
        _ number: UInt32, _ endpoints: [UInt32], kind: FrontendKind = .clusterIP, affinity: Duration? = nil,
        inside: Verdict? = nil, sources: [CIDR]? = nil, port: String = "", serving: [UInt32]? = nil,
        proto: TransportProtocol = .tcp
    ) -> FrontendRoute {
        let frontend = SocketEndpoint(address: .v4(IPv4Address(bits: 0x0A60_0000 + number)), port: 80)
        let list = EndpointList(endpoints.map { RoutedEndpoint(address: Self.endpoint($0)) })
        return FrontendRoute(
            frontend: Frontend(frontend, proto), kind: kind,
            port: ServicePortID(
                service: ServiceID(namespace: "kiada", name: "quote"), portName: port, proto: proto),
            outside: list.isEmpty ? .reject : .forward(list), inside: inside, affinity: affinity,
            allowedSources: sources, serving: serving.map { $0.map(Self.endpoint) })
    }

    private static func diff(_ changed: [FrontendRoute], removed: [Frontend] = []) -> RoutingDiff {
        var diff = RoutingDiff()
        diff.changed = changed
        diff.removed = removed
        return diff
    }

    @Test func aNewRouteIsWrittenAfterItsEndpointsAndItsList() {
        var routes = PublishedRoutes()
        let route = Self.route(1, [4, 5])
        #expect(
            routes.apply(Self.diff([route])).changes == [
                .addEndpoint(3, Self.endpoint(4)), .addEndpoint(4, Self.endpoint(5)),
                .addSlot(list: 5, index: 0, endpoint: 3), .addSlot(list: 5, index: 1, endpoint: 4),
                .setRoute(
                    route.frontend,
                    RouteRecord(list: 5, count: 2, servicePort: 0, affinitySeconds: 0, reason: .random)),
            ])
    }

    @Test("7.5, 7.9 whoever asks must not matter: the rest is left to the plane beneath")
    func unpublished() {
        var routes = PublishedRoutes(exempt: [Self.route(9, [4]).frontend.address.address])
        let left = [
            Self.route(1, [], kind: .nodePort), Self.route(2, [], kind: .localhost),
            Self.route(3, [4], sources: ["10.0.0.0/8"].compactMap { CIDR($0) }), Self.route(4, [4], inside: .drop),
            Self.route(9, []),
        ]
        #expect(routes.apply(Self.diff(left)).changes.isEmpty)
        #expect(routes.routeCount == 0)
        _ = routes.apply(Self.diff([Self.route(3, [4])]))
        #expect(routes.apply(Self.diff([left[2]])).changes.first == .removeRoute(left[2].frontend))
        #expect(routes.everything.isEmpty)
    }

    @Test("a port of this machine is published while the plane beneath has it")
    func occupiedPorts() {
        var routes = PublishedRoutes()
        let (port, other) = (Self.route(1, [4], kind: .nodePort), Self.route(2, [5]))
        _ = routes.apply(Self.diff([port, other]), unserved: [port.frontend, other.frontend])
        #expect(!routes.isPublished(port.frontend) && routes.isPublished(other.frontend))
        _ = routes.apply(RoutingDiff(), unserved: [port.frontend])
        #expect(!routes.isPublished(port.frontend))
        _ = routes.apply(RoutingDiff())
        #expect(routes.isPublished(port.frontend))
        let refusing = Self.route(1, [], kind: .nodePort)
        #expect(routes.apply(Self.diff([refusing])).changes.first == .removeRoute(port.frontend))
        _ = routes.apply(Self.diff([port]), unserved: [port.frontend])
        #expect(routes.apply(Self.diff([], removed: [port.frontend])).changes.isEmpty)
        #expect(routes.apply(RoutingDiff()).changes.isEmpty)
    }

    @Test("an endpoint that leaves and comes back has another number, one that stays keeps it")
    func numbers() {
        var routes = PublishedRoutes()
        func numbers(_ update: PublishedRoutes.Update) -> [UInt32] {
            update.changes.compactMap { if case .addEndpoint(let number, _) = $0 { number } else { nil } }
        }
        let first = numbers(routes.apply(Self.diff([Self.route(1, [4, 5])])))
        let away = routes.apply(Self.diff([Self.route(1, [5])]))
        #expect(Array(away.retired.keys) == [first[0]])
        let back = numbers(routes.apply(Self.diff([Self.route(1, [4, 5])])))
        #expect(back.count == 1 && !first.contains(back[0]))
    }

    @Test("7.11 an endpoint that is not chosen but still serves is not retired")
    func serving() {
        var routes = PublishedRoutes()
        _ = routes.apply(Self.diff([Self.route(1, [4], proto: .udp)]))
        #expect(routes.apply(Self.diff([Self.route(1, [5], serving: [4, 5], proto: .udp)])).retired.isEmpty)
        #expect(routes.apply(Self.diff([Self.route(1, [5], proto: .udp)])).retired.count == 1)
    }

    @Test("7.7 all frontends of a Service port have one affinity, another timeout starts another")
    func affinity() {
        var routes = PublishedRoutes()
        func ports(_ update: PublishedRoutes.Update) -> Set<UInt32> {
            Set(update.changes.compactMap { if case .setRoute(_, let record) = $0 { record.servicePort } else { nil } })
        }
        let hour = Duration.seconds(3600)
        let first = ports(
            routes.apply(Self.diff([Self.route(1, [4], affinity: hour), Self.route(2, [4], affinity: hour)])))
        #expect(first.count == 1 && !first.contains(0))
        let other = ports(routes.apply(Self.diff([Self.route(1, [4], affinity: .seconds(60))])))
        #expect(first.isDisjoint(with: other))
        #expect(ports(routes.apply(Self.diff([Self.route(3, [4], affinity: hour)]))) == first)
    }

    @Test("after every single write each route leads to endpoints that are there, and nothing is left at the end")
    func everyStepIsWhole() {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        var routes = PublishedRoutes()
        var maps = MapModel()
        for _ in 0..<400 {
            var changed: [FrontendRoute] = []
            var removed: [Frontend] = []
            for number in UInt32(1)...6 where Bool.random(using: &generator) {
                let endpoints = (UInt32(1)...8).filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
                let isSticky = Bool.random(using: &generator)
                let route = Self.route(
                    number, endpoints, affinity: isSticky ? .seconds(60) : nil, port: "\(number % 2)")
                if Int.random(in: 0..<5, using: &generator) == 0 {
                    removed.append(route.frontend)
                } else {
                    changed.append(route)
                }
            }
            for change in routes.apply(Self.diff(changed, removed: removed)).changes {
                maps.perform(change)
                #expect(maps.isWhole, "after \(change)")
            }
            var filled = MapModel()
            for change in routes.everything { filled.perform(change) }
            #expect(filled == maps)
            #expect(maps.slots.count + maps.members.count == routes.slotCount)
        }
        var nothing = RoutingDiff()
        nothing.isComplete = true
        for change in routes.apply(nothing).changes { maps.perform(change) }
        #expect(maps == MapModel())
    }
}

/// The kernel's maps, as far as these tests need them.
private struct MapModel: Equatable {
    struct Place: Hashable {
        let list: UInt32
        let index: UInt32
    }
    var endpoints: [UInt32: SocketEndpoint] = [:]
    var slots: [Place: UInt32] = [:]
    var members: Set<Place> = []
    var routes: [Frontend: RouteRecord] = [:]

    mutating func perform(_ change: RouteChange) {
        switch change {
        case .addEndpoint(let number, let endpoint): endpoints[number] = endpoint
        case .addSlot(let list, let index, let endpoint): slots[Place(list: list, index: index)] = endpoint
        case .addMember(let list, let endpoint): members.insert(Place(list: list, index: endpoint))
        case .setRoute(let frontend, let record): routes[frontend] = record
        case .removeRoute(let frontend): routes[frontend] = nil
        case .removeSlot(let list, let index): slots[Place(list: list, index: index)] = nil
        case .removeMember(let list, let endpoint): members.remove(Place(list: list, index: endpoint))
        case .removeEndpoint(let number): endpoints[number] = nil
        }
    }

    var isWhole: Bool {
        routes.values.allSatisfy { record in
            (0..<record.count).allSatisfy { index in
                guard let number = slots[Place(list: record.list, index: index)] else { return false }
                let isMember = record.affinitySeconds == 0 || members.contains(Place(list: record.list, index: number))
                return isMember && endpoints[number] != nil
            }
        }
    }
}
