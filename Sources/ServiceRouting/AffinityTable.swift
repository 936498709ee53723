package import NetTypes

/// Which client of one Service port stays with which endpoint (7.7).
///
/// The window slides: a use starts the timeout again. Time is nanoseconds of any clock that only goes forward, given by the
/// caller. At the bound, a new client takes the place of the one whose last use is longest ago among those looked at.
package struct AffinityTable: Sendable {
    package let timeout: Duration
    package let capacity: Int
    private let window: UInt64
    private var entries: [IPAddress: Entry] = [:]

    /// Where a client was sent, and when it last came.
    private struct Entry {
        var endpoint: SocketEndpoint
        var lastUse: UInt64
    }

    /// - Parameters:
    ///   - timeout: 1 s to a day, as Kubernetes allows.
    ///   - capacity: the most clients remembered at once.
    package init(timeout: Duration, capacity: Int = 65_536) {
        self.timeout = timeout
        self.capacity = max(1, capacity)
        let seconds = timeout.components.seconds
        window = seconds > 0 ? UInt64(seconds) * 1_000_000_000 : 0
    }

    package var count: Int { entries.count }

    /// The endpoint that `client` still has at `now`, and the nanoseconds it had left; its time starts again.
    package mutating func use(by client: IPAddress, now: UInt64) -> (endpoint: SocketEndpoint, left: UInt64)? {
        guard let entry = entries[client] else { return nil }
        let age = now &- min(entry.lastUse, now)
        guard age < window else {
            entries[client] = nil
            return nil
        }
        entries[client]?.lastUse = now
        return (entry.endpoint, window - age)
    }

    package mutating func remember(_ endpoint: SocketEndpoint, for client: IPAddress, now: UInt64) {
        if entries[client] == nil, entries.count >= capacity { makeRoom(now: now) }
        entries[client] = Entry(endpoint: endpoint, lastUse: now)
    }

    package mutating func forget(_ client: IPAddress) { entries[client] = nil }

    /// Drops the clients of endpoints that are no longer listed.
    package mutating func retain(_ endpoints: Set<SocketEndpoint>) {
        entries = entries.filter { endpoints.contains($0.value.endpoint) }
    }

    private mutating func makeRoom(now: UInt64) {
        // Looking at a few entries bounds the cost of one connection; the order of a dictionary is as good as random.
        let looked = entries.prefix(64)
        let expired = looked.filter { now &- min($0.value.lastUse, now) >= window }.map(\.key)
        for client in expired { entries[client] = nil }
        if expired.isEmpty, let oldest = looked.min(by: { $0.value.lastUse < $1.value.lastUse })?.key {
            entries[oldest] = nil
        }
    }
}
