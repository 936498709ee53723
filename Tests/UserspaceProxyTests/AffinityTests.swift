#if os(Linux)
import DataPlaneContract
import NetTypes
import ServiceRouting
import Testing
import UserspaceProxy

extension UserspacePlaneTests {
    /// ClientIP affinity, with a clock that the tests set forward.
    @Suite(.serialized) struct Affinity {
        private let servers = ["a", "b", "c", "d"].map { TestServer(.greet($0)) }

        @Test(
            "7.7 each new connection starts the timeout again: 0, 50, 100 and 150 s stay, 211 s is free",
            arguments: PlaneUnderTest.engines)
        func slidingWindow(_ engine: UserspaceEngine) async throws {
            let clock = ShiftedClock()
            let frontend = PlaneUnderTest.freeFrontend()
            var configuration = UserspaceConfiguration()
            configuration.clock = clock.now
            let route = PlaneUnderTest.route(frontend, servers.map(\.endpoint), affinity: .seconds(60))
            try await PlaneUnderTest.run(on: engine, configuration) { plane in
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

    }
}
#endif
