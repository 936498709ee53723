import ClusterModel

/// How many pods a budget of disruptions wants, and how many of them may go.
///
/// | budget | pods that are expected | of them healthy, at least |
/// |---|---|---|
/// | `minAvailable: 2` | those that are there | 2 |
/// | `minAvailable: 50%` | those that their controllers want | half, rounded up |
/// | `maxUnavailable: 1` | those that their controllers want | all but 1 |
/// | `maxUnavailable: 30%` | those that their controllers want | all but 30 %, rounded up |
struct DisruptionCount: Equatable {
    let expected: Int
    let desiredHealthy: Int
    let healthy: Int

    /// - Parameters:
    ///   - spec: of the budget.
    ///   - pods: that it selects.
    ///   - healthy: how many of them are ready and stay.
    ///   - scale: how many pods their controllers want in all.
    init(_ spec: JSONValue?, pods: Int, healthy: Int, scale: Int) {
        self.healthy = healthy
        func share(_ key: String) -> RollingUpdate.Share? {
            IntOrString(spec?[key]).flatMap { RollingUpdate.Share($0.description) }
        }
        if let most = share("maxUnavailable") {
            expected = scale
            desiredHealthy = max(0, scale - most.count(of: scale, roundsUp: true))
        } else if let least = share("minAvailable") {
            if case .number(let number) = least {
                expected = pods
                desiredHealthy = number
            } else {
                expected = scale
                desiredHealthy = least.count(of: scale, roundsUp: true)
            }
        } else {
            // Neither is wanted: nothing is.
            expected = 0
            desiredHealthy = 0
        }
    }

    var allowed: Int { expected > 0 ? max(0, healthy - desiredHealthy) : 0 }
}
