import Synchronization

/// What does not work now, by who noticed it.
final class ProblemBoard: Sendable {
    private let problems = Mutex<[String: [String]]>([:])

    /// Replaces what `source` said before.
    ///
    /// - Returns: those problems that it did not say before, and whether anything differs.
    func set(_ source: String, _ new: [String]) -> (new: [String], isChanged: Bool) {
        problems.withLock { problems in
            let old = problems[source] ?? []
            problems[source] = new.isEmpty ? nil : new
            let known = Set(old)
            return (new.filter { !known.contains($0) }, new != old)
        }
    }

    var all: [String] {
        problems.withLock { problems in problems.sorted { $0.key < $1.key }.flatMap(\.value) }
    }
}

/// Opens once; those who wait before pass then.
final class Gate: Sendable {
    /// What changes; guarded by the lock.
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}
