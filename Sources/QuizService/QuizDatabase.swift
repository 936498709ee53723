package import Logging
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Prepares the database, again and again until it works, and says whether the quiz can do its work.
package final class QuizDatabase: Service {
    private enum State {
        case preparing(last: String?)
        case ready
    }

    package let store: any QuizStore
    private let questions: [Question]
    private let logger: Logger
    private let state = Mutex(State.preparing(last: nil))

    package init(_ store: any QuizStore, questions: [Question] = Question.bundled, logger: Logger) {
        self.store = store
        self.questions = questions
        self.logger = logger
    }

    /// Prepares once.
    ///
    /// - Returns: whether it worked.
    package func prepare() async -> Bool {
        do throws(QuizStoreError) {
            try await store.prepare(seeding: questions)
            state.withLock { $0 = .ready }
            return true
        } catch {
            let isNew = state.withLock { state in
                if case .preparing(let last) = state, last == error.description { return false }
                state = .preparing(last: error.description)
                return true
            }
            if isNew { logger.warning("the database is not ready yet", metadata: ["reason": "\(error)"]) }
            return false
        }
    }

    /// Tries every second until the database is prepared, then waits for the stop and closes it.
    package func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while await !self.prepare() { try await Task.sleep(for: .seconds(1)) }
            try await gracefulShutdown()
        }
        await store.close()
    }

    /// Throws why the quiz cannot work now.
    package func check() async throws {
        if case .preparing(let last) = state.withLock({ $0 }) {
            throw NotReady(last ?? "the database is being prepared")
        }
        try await store.ping()
    }
}
