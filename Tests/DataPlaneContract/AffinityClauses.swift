#if os(Linux)
import NetTypes
import ServiceRouting
import Testing

extension ContractClause {
    private static let names = ["a", "b", "c", "d"]

    /// ClientIP affinity; its timeout is tried where a plane's clock can be set.
    static let affinity =
        [IPFamily.v4, .v6].map { family in
            ContractClause("7.7 all frontends of a Service port share the client's endpoint, \(family.rawValue)") {
                plane in
                let isIPv4 = family == .v4
                let servers = names.map {
                    TestServer(.greet($0), on: isIPv4 ? PlaneUnderTest.endpointHost : PlaneUnderTest.host6)
                }
                let host = isIPv4 ? PlaneUnderTest.host : PlaneUnderTest.host6
                let frontends = [PlaneUnderTest.freeFrontend(on: host), PlaneUnderTest.freeFrontend(on: host)]
                await plane.apply(
                    PlaneUnderTest.diff(
                        zip(frontends, [.clusterIP, .nodePort]).map {
                            PlaneUnderTest.route($0, servers.map(\.endpoint), kind: $1, affinity: .seconds(600))
                        }))
                let answers = (0..<20).map { PlaneUnderTest.answer(frontends[$0 % 2]) }
                #expect(Set(answers).count == 1 && answers.first != .some(nil))
            }
        } + [
            ContractClause("7.7 a client whose endpoint goes gets another, and stays there when the first comes back") {
                plane in
                let servers = names.map { TestServer(.greet($0)) }
                let frontend = PlaneUnderTest.freeFrontend()
                func diff(without gone: String?) -> RoutingDiff {
                    let left = zip(names, servers).filter { $0.0 != gone }.map(\.1.endpoint)
                    return PlaneUnderTest.diff([PlaneUnderTest.route(frontend, left, affinity: .seconds(600))])
                }
                await plane.apply(diff(without: nil))
                let first = PlaneUnderTest.answer(frontend)
                await plane.apply(diff(without: first))
                let second = PlaneUnderTest.answer(frontend)
                #expect(second != nil && second != first)
                await plane.apply(diff(without: nil))
                for _ in 0..<10 { #expect(PlaneUnderTest.answer(frontend) == second) }
            },
            ContractClause("7.7 a client is free when its last connection is longer ago than the timeout") { plane in
                let servers = names.map { TestServer(.greet($0)) }
                let frontend = PlaneUnderTest.freeFrontend()
                let route = PlaneUnderTest.route(frontend, servers.map(\.endpoint), affinity: .seconds(1))
                await plane.apply(PlaneUnderTest.diff([route]))
                let clock = ContinuousClock()
                var seen: Set<String?> = []
                // Time itself is what is tried here, and nobody can set the kernel's clock.
                for round in 0..<10 where seen.count < 2 {
                    if round > 0 { try await clock.sleep(for: .milliseconds(1200)) }
                    let answers = (0..<3).map { _ in PlaneUnderTest.answer(frontend) }
                    #expect(Set(answers).count == 1)
                    seen.formUnion(answers)
                }
                #expect(seen.count == 2 && !seen.contains(nil))
            },
        ]
}
#endif
