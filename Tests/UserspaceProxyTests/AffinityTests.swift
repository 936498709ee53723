#if os(Linux)
import NetTypes
import ServiceRouting
import Testing
import UserspaceProxy

extension DataPlaneContract {
    /// ClientIP affinity, with a clock that the tests set forward.
    @Suite(.serialized) struct Affinity {
        private let servers = ["a", "b", "c", "d"].map { TestServer(.greet($0)) }

        @Test("7.7 each new connection starts the timeout again: 0, 50, 100 and 150 s stay, 211 s is free")
        func slidingWindow() async throws {
            let clock = ShiftedClock()
            let frontend = PlaneUnderTest.freeFrontend()
            var configuration = UserspaceConfiguration()
            configuration.clock = clock.now
            let route = PlaneUnderTest.route(frontend, servers.map(\.endpoint), affinity: .seconds(60))
            try await PlaneUnderTest.run(configuration) { plane in
                await plane.apply(PlaneUnderTest.diff([route]))
                let events = plane.connectionEvents(limit: 100)
                var answers: [String?] = []
                for seconds in [0, 50, 50, 50, 61] {
                    clock.advance(seconds: seconds)
                    answers.append(PlaneUnderTest.answer(frontend))
                }
                await plane.stop()
                var reasons: [ChoiceReason] = []
                for await event in events { reasons.append(event.reason) }
                #expect(Set(answers.prefix(4)).count == 1)
                #expect(reasons.count == 5 && reasons.first == .random && reasons.last == .random)
                for reason in reasons.dropFirst().dropLast() {
                    guard case .affinity(let left) = reason else {
                        Issue.record("chosen by \(reason)")
                        continue
                    }
                    #expect(left <= .seconds(10) && left > .seconds(1))
                }
            }
        }

        @Test("7.7 all frontends of a Service port share the client's endpoint")
        func sharedByFrontends() async throws {
            let frontends = [PlaneUnderTest.freeFrontend(), PlaneUnderTest.freeFrontend()]
            let routes = frontends.map {
                PlaneUnderTest.route($0, servers.map(\.endpoint), affinity: .seconds(600))
            }
            try await PlaneUnderTest.run { plane in
                await plane.apply(PlaneUnderTest.diff(routes))
                let answers = (0..<20).map { PlaneUnderTest.answer(frontends[$0 % 2]) }
                #expect(Set(answers).count == 1)
            }
        }

        @Test("7.7 a client whose endpoint goes gets another, and stays there when the first comes back")
        func endpointGoes() async throws {
            let frontend = PlaneUnderTest.freeFrontend()
            let servers = servers
            func diff(without gone: String?) -> RoutingDiff {
                let left = zip(["a", "b", "c", "d"], servers).filter { $0.0 != gone }.map(\.1.endpoint)
                return PlaneUnderTest.diff([PlaneUnderTest.route(frontend, left, affinity: .seconds(600))])
            }
            try await PlaneUnderTest.run { plane in
                await plane.apply(diff(without: nil))
                let first = PlaneUnderTest.answer(frontend)
                await plane.apply(diff(without: first))
                let second = PlaneUnderTest.answer(frontend)
                #expect(second != nil && second != first)
                await plane.apply(diff(without: nil))
                for _ in 0..<10 { #expect(PlaneUnderTest.answer(frontend) == second) }
            }
        }
    }
}
#endif
