#if os(Linux)
import DataPlaneContract
import NetTypes
import ServiceRouting
import Testing

import LinuxKernel
@testable import NFTablesProxy

/// What a change of routes means for the kernel's tables: no kernel, no rights.
@Suite(.enabled(if: NetworkNamespace.rights == nil)) struct RulesetStateTests {
    private var state = RulesetState(firstMark: Ruleset.firstMark(instance: 0))
    private let frontend = Frontend(SocketEndpoint(address: PlaneUnderTest.host, port: 80), .tcp)

    private func endpoints(_ ports: some Sequence<UInt16>) -> [SocketEndpoint] {
        ports.map { SocketEndpoint(address: PlaneUnderTest.endpointHost, port: $0) }
    }

    @Test("The first frontend is its verdict, its address, a slot per endpoint, and chains for common numbers")
    mutating func newFrontend() {
        let transaction = state.apply(removed: [], changed: [PlaneUnderTest.route(frontend, endpoints(1...3))])
        #expect(transaction.removed.isEmpty)
        #expect(
            Dictionary(grouping: transaction.added, by: \.set).mapValues(\.count) == [
                .frontends: 1, .outcomes(isLast: false): 16, .outcomes(isLast: true): 16, .addresses: 1,
                .endpoints: 3,
            ])
        #expect(transaction.picks == (1...16).map { Transaction.Pick(count: $0, number: 0, family: .v4) })
        let many = state.apply(removed: [], changed: [PlaneUnderTest.route(frontend, endpoints(1...17))])
        #expect(many.picks == [Transaction.Pick(count: 17, number: 0, family: .v4)])
    }

    @Test("One changed endpoint of ten is one slot, wherever it is in the list")
    mutating func oneEndpoint() {
        _ = state.apply(removed: [], changed: [PlaneUnderTest.route(frontend, endpoints(1...10))])
        let list = endpoints([10, 9, 8, 7, 11, 5, 4, 3, 2, 1])
        let transaction = state.apply(removed: [], changed: [PlaneUnderTest.route(frontend, list)])
        #expect(transaction.picks.isEmpty)
        #expect(transaction.removed.map(\.key) == [.slot(frontend, 5)])
        #expect(transaction.added.map(\.key) == [.slot(frontend, 5)])
        #expect(transaction.added.map(\.data) == endpoints([11]).map { .endpoint($0) })
    }

    @Test("A verdict never leads to a slot that is not there yet, or no more")
    mutating func order() {
        func sets(_ steps: [Transaction]) -> [[Set<SetName>]] {
            steps.map { [Set($0.added.map(\.set)), Set($0.removed.map(\.set))] }
        }
        func steps(_ count: UInt16) -> [Transaction] {
            state.apply(removed: [], changed: [PlaneUnderTest.route(frontend, endpoints(0..<count))]).steps
        }
        let outcomes: Set<SetName> = [.outcomes(isLast: false), .outcomes(isLast: true)]
        #expect(sets(steps(1)) == [[[.endpoints], []], [outcomes.union([.frontends, .addresses]), []]])
        #expect(sets(steps(3)) == [[[.endpoints], []], [[.frontends], [.frontends]]])
        #expect(sets(steps(2)) == [[[.frontends], [.frontends]], [[], [.endpoints]]])
        #expect(sets(steps(0)) == [[[.frontends], [.frontends]], [[], [.endpoints]]])
    }

    @Test("What only adds a lot comes in parts that grow, frontends after all that has a say about their clients")
    mutating func parts() throws {
        let ports = UInt16(1)...3000
        let range = try #require(CIDR("10.0.0.0/8"))
        let routes = ports.map { port in
            PlaneUnderTest.route(
                Frontend(SocketEndpoint(address: PlaneUnderTest.host, port: port), .tcp), endpoints([port]),
                sources: port % 2 == 0 ? [range] : nil)
        }
        let steps = state.apply(removed: [], changed: routes).steps
        #expect(steps.count == 2)
        for step in steps {
            let parts = step.parts
            let (order, picks) = (parts.flatMap(\.added), parts.map(\.picks))
            let wanted = (0..<parts.count - 1).map { Transaction.firstPart << $0 }
            #expect(parts.dropLast().map(\.added.count) == wanted)
            #expect(order.count == step.added.count)
            #expect(Set(order) == Set(step.added))
            #expect(picks == [step.picks] + Array(repeating: [], count: parts.count - 1))
            let firstFrontend = order.firstIndex { $0.set == .frontends } ?? order.count
            #expect(Set(order[firstFrontend...].map(\.set)).subtracting([.frontends]).isEmpty)
        }
        // Whoever is served already is not served by halves in between.
        let others = ports.map { port in
            PlaneUnderTest.route(
                Frontend(SocketEndpoint(address: PlaneUnderTest.host, port: port), .tcp), endpoints([port, 1]))
        }
        let change = state.apply(removed: [], changed: others)
        for step in change.steps where !step.removed.isEmpty { #expect(step.parts == [step]) }
    }

    @Test("The same route again is no change; a second Service with as many endpoints needs no new rule")
    mutating func nothingNew() {
        let route = PlaneUnderTest.route(frontend, endpoints(1...3))
        _ = state.apply(removed: [], changed: [route])
        #expect(state.apply(removed: [], changed: [route]).steps.isEmpty)
        let other = Frontend(SocketEndpoint(address: PlaneUnderTest.host, port: 81), .tcp)
        #expect(state.apply(removed: [], changed: [PlaneUnderTest.route(other, endpoints(4...6))]).picks.isEmpty)
    }

    @Test("A frontend that goes takes its elements along; the address goes with its last frontend")
    mutating func removal() {
        let other = Frontend(SocketEndpoint(address: PlaneUnderTest.host, port: 81), .tcp)
        let routes = [frontend, other].map { PlaneUnderTest.route($0, endpoints(1...2)) }
        let added = state.apply(removed: [], changed: routes).added
        let first = state.apply(removed: [frontend], changed: [])
        #expect(!first.removed.contains { $0.set == .addresses })
        let second = state.apply(removed: [other], changed: [])
        // Which chain stands for how many is known once and for all.
        #expect(
            Set(first.removed + second.removed)
                == Set(added.filter { if case .outcomes = $0.set { false } else { true } }))
    }

    @Test("7.7 frontends of one port share a number, which is forgotten with the last of them")
    mutating func affinity() {
        let other = Frontend(SocketEndpoint(address: PlaneUnderTest.host, port: 30_080), .tcp)
        let routes = [frontend, other].map { PlaneUnderTest.route($0, endpoints(1...2), affinity: .seconds(60)) }
        let added = state.apply(removed: [], changed: routes).added
        let marks = added.compactMap { element in
            if case .mark(let mark) = element.data { mark } else { nil }
        }
        #expect(marks.count == 2 && Set(marks).count == 1)
        #expect(added.filter { $0.set == .timeout(60) }.count == 1)
        #expect(state.apply(removed: [frontend], changed: []).narrowed.isEmpty)
        #expect(state.apply(removed: [other], changed: []).narrowed == [marks[0]: []])
    }

    @Test("7.7 a number is given to another port only after its clients were forgotten")
    mutating func reusedNumbers() {
        func mark(_ transaction: Transaction) -> ElementKey? { transaction.added.first { $0.set == .timeout(60) }?.key }
        func route(_ name: String) -> FrontendRoute {
            let list = EndpointList(endpoints(1...2).map { RoutedEndpoint(address: $0) })
            let port = ServicePortID(
                service: ServiceID(namespace: "kiada", name: name), portName: "", proto: .tcp)
            return FrontendRoute(
                frontend: frontend, kind: .clusterIP, port: port, outside: .forward(list), affinity: .seconds(60))
        }
        let first = mark(state.apply(removed: [], changed: [route("a")]))
        let second = mark(state.apply(removed: [frontend], changed: [route("b")]))
        #expect(first != nil && second != nil && first != second)
        let third = mark(state.apply(removed: [frontend], changed: [route("c")]))
        #expect(third == first)
    }

    @Test("7.11 flows may stay with endpoints that serve, and are looked at when one does no more")
    mutating func flows() {
        let udp = Frontend(frontend.address, .udp)
        let all = endpoints(1...3)
        _ = state.apply(removed: [], changed: [PlaneUnderTest.route(udp, all)])
        let stays = PlaneUnderTest.route(udp, Array(all.prefix(2)), serving: all)
        #expect(state.apply(removed: [], changed: [stays]).movedFlows.isEmpty)
        let gone = PlaneUnderTest.route(udp, Array(all.prefix(2)))
        #expect(state.apply(removed: [], changed: [gone]).movedFlows == [udp: Set(all.prefix(2))])
    }

    @Test("Of blocks that lie in each other only the outer one is kept, of one family")
    func outermost() {
        let blocks = ["10.1.0.0/16", "10.0.0.0/8", "fd00::/8", "192.168.1.0/24"].compactMap { CIDR($0) }
        #expect(RouteElements.outermost(blocks, .v4).map(\.description) == ["10.0.0.0/8", "192.168.1.0/24"])
    }

    @Test("Attributes are read as they were written, whatever their length")
    func attributes() {
        var message = NetlinkMessage()
        message.nested(3) { message in
            message.attribute(1, "odd")
            message.attribute(2, UInt32(0x0102_0304))
        }
        let inner = NetlinkAttributes.first(3, in: message.bytes[...]) ?? []
        #expect(NetlinkAttributes.first(1, in: inner) == Array("odd".utf8)[...] + [0])
        #expect(NetlinkAttributes.first(2, in: inner)?.number == 0x0102_0304)
    }
}
#endif
