import HTTPTypes
import Synchronization

/// Bounds the requests that are being handled at the same time; watches and logs count only until they start.
///
/// Whoever comes when all places are taken is told to come back (429), as by an API server's
/// `--max-requests-inflight` and `--max-mutating-requests-inflight`, whose defaults these are.
package final class FlowControl: Sendable {
    private struct Count {
        var reading = 0
        var writing = 0
    }

    private let mostReading: Int
    private let mostWriting: Int
    private let count = Mutex(Count())

    package init(mostReading: Int = 400, mostWriting: Int = 200) {
        self.mostReading = mostReading
        self.mostWriting = mostWriting
    }

    /// Runs `body` for a request, if there is a place for it.
    ///
    /// - Returns: what `body` returns, or nil when all places are taken.
    func run<Result>(
        _ method: HTTPRequest.Method, _ body: () async throws -> Result
    ) async rethrows -> Result? {
        let isReading = method == .get || method == .head
        guard enter(isReading) else { return nil }
        defer { leave(isReading) }
        return try await body()
    }

    private func enter(_ isReading: Bool) -> Bool {
        count.withLock { count in
            guard isReading ? count.reading < mostReading : count.writing < mostWriting else { return false }
            if isReading { count.reading += 1 } else { count.writing += 1 }
            return true
        }
    }

    private func leave(_ isReading: Bool) {
        count.withLock { count in
            if isReading { count.reading -= 1 } else { count.writing -= 1 }
        }
    }
}
