import ClusterModel
import NetTypes

/// Which Services have topology hints, and what is to be said when that changes (semantics 3.10).
struct HintReports {
    /// What an Event says.
    struct Report: Equatable {
        let isWarning: Bool
        let reason: String
        let message: String
    }

    typealias Outcomes = [IPFamily: TopologyHints.Outcome]

    private var known: [EndpointIndex.ServiceName: Outcomes] = [:]

    /// Takes note of how it went.
    ///
    /// - Parameter outcomes: empty when no hints are wanted.
    /// - Returns: what is new: hints there are now, or why there are none.
    mutating func note(_ name: EndpointIndex.ServiceName, _ outcomes: Outcomes) -> [Report] {
        let before = known[name] ?? [:]
        known[name] = outcomes.isEmpty ? nil : outcomes
        return IPFamily.allCases.compactMap { family in
            let (old, new) = (before[family], outcomes[family])
            guard old != new else { return nil }
            let suffix = ", addressType: \(family.rawValue)"
            switch new {
            case .hinted:
                return Report(
                    isWarning: false, reason: "TopologyAwareHintsEnabled",
                    message: "Topology Aware Hints has been enabled" + suffix)
            case .failed(let failure):
                return Report(
                    isWarning: true, reason: "TopologyAwareHintsDisabled", message: failure.description + suffix)
            case nil:
                // They are not wanted any more: that is news only where there were some.
                guard old == .hinted else { return nil }
                return Report(
                    isWarning: true, reason: "TopologyAwareHintsDisabled",
                    message: "Topology Aware Hints has been disabled" + suffix)
            }
        }
    }

    mutating func forget(_ name: EndpointIndex.ServiceName) { known[name] = nil }
}
