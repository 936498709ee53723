import DNSWire

/// Lookups that are still good, by question: a bounded table that forgets by TTL.
///
/// Positive ones live as long as their shortest TTL, at most a day; negative ones as long as the SOA record says (RFC 2308
/// section 5), at most five minutes, and without an SOA not at all. When the table is full the expired go first, then
/// those that expire next.
struct LookupCache {
    private struct Entry {
        var lookup: Lookup
        var expiry: ContinuousClock.Instant
    }

    static let positiveLimit: Duration = .seconds(86400)
    static let negativeLimit: Duration = .seconds(300)

    private let capacity: Int
    private var entries: [Question: Entry] = [:]

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.count }

    func lookup(for question: Question, now: ContinuousClock.Instant) -> Lookup? {
        guard let entry = entries[question], entry.expiry > now else { return nil }
        return entry.lookup
    }

    mutating func store(_ lookup: Lookup, for question: Question, ttl: Duration, now: ContinuousClock.Instant) {
        let limit = if case .records = lookup { Self.positiveLimit } else { Self.negativeLimit }
        guard ttl > .zero, capacity > 0 else { return }
        if entries[question] == nil, entries.count >= capacity { makeRoom(now: now) }
        entries[question] = Entry(lookup: lookup, expiry: now + min(ttl, limit))
    }

    private mutating func makeRoom(now: ContinuousClock.Instant) {
        entries = entries.filter { $0.value.expiry > now }
        guard entries.count >= capacity else { return }
        // A tenth at once, so that a full table is not sorted for every new entry.
        let leaving = entries.sorted { $0.value.expiry < $1.value.expiry }.prefix(max(1, capacity / 10))
        for (question, _) in leaving { entries[question] = nil }
    }
}
