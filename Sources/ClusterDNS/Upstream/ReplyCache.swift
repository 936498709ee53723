import DNSClient
import DNSWire

/// Replies of upstream servers as they came, by query: a bounded table that forgets by TTL (rule 6.10).
///
/// A reply serves only queries that are the same in all but id and letter case, so flags and EDNS options count.
/// Truncated replies and codes other than "no error" and "no such name" are not kept; "no such name" and "no such type" are
/// kept for as long as their SOA record says, and not without one (RFC 2308).
struct ReplyCache {
    /// What a reply is kept under.
    struct Key: Hashable {
        private let query: [UInt8]
        private let transport: DNSExchange.Transport

        init(_ query: [UInt8], _ transport: DNSExchange.Transport) {
            self.query = query.dropFirst(2).map(\.asciiLowercased)
            self.transport = transport
        }
    }

    /// A reply, and how long it counts.
    private struct Entry {
        var reply: [UInt8]
        var ttlOffsets: [Int]
        var stored: ContinuousClock.Instant
        var expiry: ContinuousClock.Instant
    }

    /// Nothing is kept longer, in seconds.
    static let ttlLimit: UInt32 = 3600

    private let capacity: Int
    private var entries: [Key: Entry] = [:]

    init(capacity: Int) { self.capacity = capacity }

    /// The reply with its TTLs grown smaller; its id and question are those of the query that brought it here.
    func reply(for key: Key, now: ContinuousClock.Instant) -> [UInt8]? {
        guard let entry = entries[key], entry.expiry > now else { return nil }
        var reply = entry.reply
        let age = UInt32(clamping: (now - entry.stored).components.seconds)
        for offset in entry.ttlOffsets {
            let ttl = reply[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let rest = ttl > age ? ttl - age : 0
            for index in 0..<4 { reply[offset + index] = UInt8(truncatingIfNeeded: rest >> UInt32(24 - index * 8)) }
        }
        return reply
    }

    mutating func store(_ reply: [UInt8], for key: Key, now: ContinuousClock.Instant) {
        guard capacity > 0, let message = try? Message(decoding: reply), let ttl = Self.ttl(of: message), ttl > 0,
            let offsets = try? Message.ttlOffsets(in: reply)
        else { return }
        if entries[key] == nil, entries.count >= capacity { makeRoom(now: now) }
        let expiry = now + .seconds(Int64(min(ttl, Self.ttlLimit)))
        entries[key] = Entry(reply: reply, ttlOffsets: offsets, stored: now, expiry: expiry)
    }

    /// Seconds that a reply may be kept; nil when it may not be.
    static func ttl(of message: Message) -> UInt32? {
        guard !message.isTruncated, message.code == .noError || message.code == .nameError else { return nil }
        let wanted = message.questions.first?.type
        let isPositive = message.code == .noError && message.answers.contains { $0.type == wanted }
        let records = message.answers + message.authorities + message.additionals
        guard let lowest = records.map(\.ttl).min() else { return nil }
        if isPositive { return lowest }
        for record in message.authorities {
            if case .soa(let soa) = record.data { return min(lowest, soa.minimum) }
        }
        return nil
    }

    private mutating func makeRoom(now: ContinuousClock.Instant) {
        entries = entries.filter { $0.value.expiry > now }
        guard entries.count >= capacity else { return }
        let leaving = entries.sorted { $0.value.expiry < $1.value.expiry }.prefix(max(1, capacity / 10))
        for (key, _) in leaving { entries[key] = nil }
    }
}
