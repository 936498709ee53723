import ServiceRouting
import Synchronization

/// Hands connection events to whoever reads, and knows whether anybody does.
final class EventHub: Sendable {
    private struct State {
        var next = 0
        var continuations: [Int: AsyncStream<ConnectionEvent>.Continuation] = [:]
        var isFinished = false
    }

    private let state = Mutex(State())
    /// Called, never twice at once, when the first reader comes and when the last one goes.
    private let onReading: @Sendable (Bool) -> Void

    init(onReading: @escaping @Sendable (Bool) -> Void) { self.onReading = onReading }

    func stream(limit: Int, also other: AsyncStream<ConnectionEvent>) -> AsyncStream<ConnectionEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ConnectionEvent.self, bufferingPolicy: .bufferingNewest(max(1, limit)))
        let id = state.withLock { state -> Int? in
            guard !state.isFinished else { return nil }
            state.next += 1
            state.continuations[state.next] = continuation
            if state.continuations.count == 1 { onReading(true) }
            return state.next
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        // The plane beneath has a stream of its own; this task ends with it or with the reader.
        let forwarding = Task {
            for await event in other { continuation.yield(event) }
        }
        continuation.onTermination = { [weak self] _ in
            forwarding.cancel()
            self?.remove(id)
        }
        return stream
    }

    func send(_ event: ConnectionEvent) {
        let continuations = state.withLock { Array($0.continuations.values) }
        for continuation in continuations { continuation.yield(event) }
    }

    func finish() {
        let continuations = state.withLock { state in
            state.isFinished = true
            defer { state.continuations = [:] }
            return Array(state.continuations.values)
        }
        for continuation in continuations { continuation.finish() }
    }

    private func remove(_ id: Int) {
        state.withLock { state in
            guard state.continuations.removeValue(forKey: id) != nil, state.continuations.isEmpty else { return }
            onReading(false)
        }
    }
}
