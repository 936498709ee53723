/// How fast queries come to one socket, smoothed over some sixteen batches: a value without a clock.
///
/// While they come fast, a server that gives way before it waits gets longer batches; while they do not, giving way only makes
/// the next query wait until whoever runs meanwhile is done.
struct QueryPace {
    /// Nanoseconds from query to query; below, they come fast: 30,000 in a second.
    private static let fast: UInt64 = 33_000
    /// What a longer pause counts as, so that the first queries after one do not count as slow for long.
    private static let longest: UInt64 = 100_000

    private var average = longest
    private var last: UInt64 = 0

    var isFast: Bool { average < Self.fast }

    /// Takes in that `count` queries, 1 or more, have come.
    ///
    /// - Parameter now: nanoseconds of a clock that does not go back.
    mutating func take(_ count: Int, at now: UInt64) {
        let each = min(Self.longest, (now &- last) / UInt64(count))
        last = now
        average = (average * 15 + each) / 16
    }
}
