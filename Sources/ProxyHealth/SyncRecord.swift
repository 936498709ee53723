/// When the data plane was told about changes, and how long it took: the facts behind health and metrics (7.14-7.16).
///
/// A value without a clock: all times are nanoseconds since 1970.
package struct SyncRecord: Sendable {
    /// A change that waits for longer makes the proxy unhealthy: twice the period of 30 seconds (7.16).
    package static let pendingLimit: Int64 = 60_000_000_000

    /// The oldest change that is not yet effective; nil when there is none.
    package private(set) var pendingSince: Int64?
    package private(set) var lastQueued: Int64?
    /// The end of the last sync; nil before the first.
    package private(set) var lastUpdated: Int64?
    package private(set) var serviceChanges: UInt64 = 0
    package private(set) var endpointChanges: UInt64 = 0
    package private(set) var pendingServiceChanges = 0
    package private(set) var pendingEndpointChanges = 0
    package private(set) var syncs = Histogram(bounds: Self.syncBounds)
    package private(set) var fullSyncs = Histogram(bounds: Self.syncBounds)
    package private(set) var partialSyncs = Histogram(bounds: Self.syncBounds)
    package private(set) var programming = Histogram(bounds: Self.programmingBounds)
    /// Syncs after which the plane said that its own means had failed.
    package private(set) var failures: UInt64 = 0

    /// 15 buckets from a millisecond on, each twice the one before (7.15).
    static let syncBounds = (0..<15).map { 0.001 * Double(1 << $0) }
    /// 0.25, 0.5, each second to 59, 60 to 115 by 5, 120 to 300 by 30 (7.15).
    static let programmingBounds =
        [0.25, 0.5] + (1...59).map(Double.init) + stride(from: 60.0, through: 115, by: 5)
        + stride(from: 120.0, through: 300, by: 30)

    package init() {}

    /// Notes changes that wait to become effective.
    package mutating func queue(services: Int, endpoints: Int, at now: Int64) {
        pendingSince = pendingSince ?? now
        lastQueued = now
        serviceChanges += UInt64(services)
        endpointChanges += UInt64(endpoints)
        pendingServiceChanges += services
        pendingEndpointChanges += endpoints
    }

    /// Notes that everything queued is effective now.
    ///
    /// - Parameters:
    ///   - start: when the work began.
    ///   - isFull: it was about all Services, not about those that changed.
    ///   - triggers: when what the changes of endpoints are about happened, seconds since 1970; only those count that
    ///     came later than the first sync, because nobody was there before to program them.
    ///   - isFailure: the plane's own means failed.
    package mutating func finish(
        start: Int64, end: Int64, isFull: Bool, triggers: [Int64] = [], isFailure: Bool = false
    ) {
        let seconds = Double(end - start) / 1e9
        syncs.observe(seconds)
        if isFull { fullSyncs.observe(seconds) } else { partialSyncs.observe(seconds) }
        if lastUpdated != nil {
            for trigger in triggers { programming.observe(max(0, Double(end) / 1e9 - Double(trigger))) }
        }
        if isFailure { failures += 1 }
        lastUpdated = end
        pendingSince = nil
        pendingServiceChanges = 0
        pendingEndpointChanges = 0
    }

    /// Whether no change has been waiting for too long.
    package func isHealthy(at now: Int64) -> Bool {
        guard let pendingSince else { return true }
        return now - pendingSince < Self.pendingLimit
    }
}
