/// Deadlines that were all set the same time ahead, so that they come due in the order in which they were set.
///
/// A ring that grows by doubling; nothing is removed before its time, the owner checks whether a place still counts.
final class DeadlineQueue {
    private var entries: UnsafeMutablePointer<Entry>
    private var capacity = 64
    private var head = 0
    private(set) var count = 0
    /// Nanoseconds from setting to coming due.
    let delay: UInt64

    /// A place and when it comes due.
    private struct Entry {
        var place: Token.Place
        var due: UInt64
    }

    init(delay: Duration) {
        let parts = delay.components
        self.delay = UInt64(max(0, parts.seconds)) * 1_000_000_000 + UInt64(max(0, parts.attoseconds) / 1_000_000_000)
        entries = .allocate(capacity: capacity)
    }

    deinit { entries.deallocate() }

    func append(_ place: Token.Place, now: UInt64) {
        if count == capacity { grow() }
        entries[(head + count) & (capacity - 1)] = Entry(place: place, due: now + delay)
        count += 1
    }

    /// When the first comes due; nil when none is set.
    var nextDue: UInt64? { count == 0 ? nil : entries[head].due }

    /// The next place that is due at `now`.
    func popDue(now: UInt64) -> Token.Place? {
        guard count > 0, entries[head].due <= now else { return nil }
        let place = entries[head].place
        head = (head + 1) & (capacity - 1)
        count -= 1
        return place
    }

    private func grow() {
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
        for index in 0..<count { larger[index] = entries[(head + index) & (capacity - 1)] }
        entries.deallocate()
        entries = larger
        head = 0
        capacity *= 2
    }
}
