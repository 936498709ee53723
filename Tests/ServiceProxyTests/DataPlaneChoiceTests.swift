import ServiceRouting
import Testing

@testable import ServiceProxy

struct DataPlaneChoiceTests {
    private struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private struct IdlePlane: DataPlane {
        let name: String
        func apply(_ diff: RoutingDiff) async -> [FrontendProblem] { [] }
        func connectionEvents(limit: Int) -> AsyncStream<ConnectionEvent> { AsyncStream { $0.finish() } }
        func counters() async -> [EndpointCounters] { [] }
        func stop() async {}
    }

    @Test("auto takes nftables in a network namespace of its own only; a name means that plane or none")
    func candidates() {
        #expect(DataPlaneChoice(.auto, hasOwnNetwork: true).candidates == [.nftables, .userspace])
        #expect(DataPlaneChoice(.auto, hasOwnNetwork: false).candidates == [.userspace])
        for kind in DataPlaneKind.allCases {
            for hasOwnNetwork in [true, false] {
                let choice = DataPlaneOption(rawValue: kind.rawValue).map {
                    DataPlaneChoice($0, hasOwnNetwork: hasOwnNetwork)
                }
                #expect(choice?.candidates == [kind])
            }
        }
    }

    @Test("where nftables cannot start, auto falls back, and says why and what would be faster")
    func fallback() throws {
        let start = try DataPlaneStart(DataPlaneChoice(.auto, hasOwnNetwork: true)) { kind in
            if kind == .nftables { throw Refusal(description: "nft is missing") }
            return IdlePlane(name: kind.rawValue)
        }
        #expect(start.plane.name == "userspace")
        #expect(start.explanation.hasPrefix("data plane userspace: this process has a network namespace of its own"))
        #expect(start.explanation.contains("nft is missing"))
        #expect(start.explanation.contains("--data-plane nftables"))
    }

    @Test("a plane that was asked for by name and cannot start is a failure with its reason")
    func noFallback() {
        #expect(throws: DataPlaneFailure(reason: "no cgroup")) {
            try DataPlaneStart(DataPlaneChoice(.socket, hasOwnNetwork: true)) { _ in
                throw Refusal(description: "no cgroup")
            }
        }
    }
}
