import Synchronization

/// Hands a plane's connection events to whoever reads them; one look at a number when nobody does.
package final class EventHub: Sendable {
    /// What changes; guarded by the lock.
    private struct State {
        var next = 0
        var continuations: [Int: AsyncStream<ConnectionEvent>.Continuation] = [:]
        var isFinished = false
    }

    private let readers = Atomic<Int>(0)
    private let state = Mutex(State())
    private let onReading: @Sendable (Bool) -> Void

    /// - Parameter onReading: called, never twice at once, when the first reader comes (true) and when the last one goes.
    package init(onReading: @escaping @Sendable (Bool) -> Void = { _ in }) { self.onReading = onReading }

    /// Whether an event that is sent now reaches anybody.
    package var hasReaders: Bool { readers.load(ordering: .relaxed) > 0 }

    /// The newest `limit` events when the reader is slow; ends with ``finish()``.
    ///
    /// - Parameter other: events of another plane that the reader gets as well.
    package func stream(limit: Int, also other: AsyncStream<ConnectionEvent>? = nil) -> AsyncStream<ConnectionEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ConnectionEvent.self, bufferingPolicy: .bufferingNewest(max(1, limit)))
        let id = state.withLock { state -> Int? in
            guard !state.isFinished else { return nil }
            state.next += 1
            state.continuations[state.next] = continuation
            readers.store(state.continuations.count, ordering: .relaxed)
            if state.continuations.count == 1 { onReading(true) }
            return state.next
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        // This task ends with the other stream or with the reader.
        let forwarding = other.map { other in
            Task {
                for await event in other { continuation.yield(event) }
            }
        }
        continuation.onTermination = { [weak self] _ in
            forwarding?.cancel()
            self?.remove(id)
        }
        return stream
    }

    package func send(_ event: ConnectionEvent) {
        let continuations = state.withLock { Array($0.continuations.values) }
        for continuation in continuations { continuation.yield(event) }
    }

    /// Ends all streams, those too that are asked for later.
    package func finish() {
        let continuations = state.withLock { state in
            state.isFinished = true
            defer { state.continuations = [:] }
            return Array(state.continuations.values)
        }
        for continuation in continuations { continuation.finish() }
    }

    private func remove(_ id: Int) {
        state.withLock { state in
            guard state.continuations.removeValue(forKey: id) != nil else { return }
            readers.store(state.continuations.count, ordering: .relaxed)
            if state.continuations.isEmpty { onReading(false) }
        }
    }
}
