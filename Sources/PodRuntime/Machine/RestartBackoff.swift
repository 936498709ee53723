/// How long a container that has ended waits before it is started again, as the kubelet does it.
///
/// | restart | 1 | 2 | 3 | 4 | 5 | 6 | later |
/// |---|---|---|---|---|---|---|---|
/// | wait | 0 s | 10 s | 20 s | 40 s | 80 s | 160 s | 300 s |
///
/// A container that ran for ten minutes starts again at the beginning.
package struct RestartBackoff: Sendable, Equatable {
    private var restarts = 0

    package init() {}

    /// The wait before the next start of a container that has just ended after running for `uptime`.
    package mutating func next(afterRunning uptime: Duration) -> Duration {
        if uptime >= .seconds(600) { restarts = 0 }
        defer { restarts += 1 }
        guard restarts > 0 else { return .zero }
        return min(.seconds(10 << min(restarts - 1, 10)), .seconds(300))
    }
}
