import ClusterModel

/// Past events that a watch can start from: the newest, bounded by number and by size.
struct EventHistory {
    private static let mostEvents = 16384
    /// About how many bytes they may have together, however few they are.
    private static let mostBytes = 64 << 20

    private var events: [WatchEvent] = []
    /// About how large their objects are.
    private var size = 0
    /// The revision before the oldest event.
    private var horizon: UInt64

    /// - Parameter revision: that of the last write before the history begins.
    init(after revision: UInt64) { horizon = revision }

    /// What has happened since `revision`.
    ///
    /// - Throws: ``APIError`` with reason Expired when the history no longer reaches back to it.
    func events(after revision: UInt64) throws(APIError) -> [WatchEvent] {
        guard revision >= horizon else {
            throw APIError(.expired, "The resourceVersion for the provided watch is too old: \(revision), \(horizon)")
        }
        return events.filter { $0.revision > revision }
    }

    mutating func append(_ event: WatchEvent) {
        events.append(Self.kept(event))
        size += event.object.json.approximateSize
        if events.count > Self.mostEvents || size > Self.mostBytes { cut() }
    }

    /// An event as the history has it: with the object as it was before only where its labels were others, for that is what
    /// most watchers choose by; two of each would need twice the memory.
    private static func kept(_ event: WatchEvent) -> WatchEvent {
        guard let previous = event.previous,
            previous.json["metadata"]?["labels"] == event.object.json["metadata"]?["labels"]
        else { return event }
        return WatchEvent(kind: event.kind, object: event.object, revision: event.revision)
    }

    /// Forgets the older half, by number and by size.
    private mutating func cut() {
        var excess = 0
        while excess < events.count, events.count - excess > Self.mostEvents / 2 || size > Self.mostBytes / 2 {
            size -= events[excess].object.json.approximateSize
            excess += 1
        }
        guard excess > 0 else { return }
        horizon = events[excess - 1].revision
        events.removeFirst(excess)
    }
}
