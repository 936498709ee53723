import ServiceRouting
import Synchronization

/// Hands connection events to whoever reads; one look at a number when nobody does.
final class EventHub: Sendable {
    private let readers = Atomic<Int>(0)
    private let state = Mutex<State>(State())

    private struct State {
        var next = 0
        var continuations: [Int: AsyncStream<ConnectionEvent>.Continuation] = [:]
        var isFinished = false
    }

    var hasReaders: Bool { readers.load(ordering: .relaxed) > 0 }

    func stream(limit: Int) -> AsyncStream<ConnectionEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ConnectionEvent.self, bufferingPolicy: .bufferingNewest(max(1, limit)))
        let id = state.withLock { state -> Int? in
            guard !state.isFinished else { return nil }
            state.next += 1
            state.continuations[state.next] = continuation
            readers.store(state.continuations.count, ordering: .relaxed)
            return state.next
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.remove(id) }
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
            state.continuations[id] = nil
            readers.store(state.continuations.count, ordering: .relaxed)
        }
    }
}
