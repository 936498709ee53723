/// A point in time, on both clocks that a pod's life needs.
package struct Moment: Hashable, Sendable {
    /// Time since the runtime's start, on a clock that only goes forward: for deadlines.
    package var elapsed: Duration
    /// Seconds since 1970, UTC: for what the status shows.
    package var unixSeconds: Int64

    package init(elapsed: Duration, unixSeconds: Int64) {
        self.elapsed = elapsed
        self.unixSeconds = unixSeconds
    }
}
