import FoundationEssentials
import NIOPosix
import Synchronization

/// Keeps questions and answers in PostgreSQL, for several quizzes that share them.
///
/// Statements run on threads of their own, because libpq waits for the server; as many at a time as there are
/// connections.
package final class PostgresQuizStore: QuizStore {
    private let url: String
    private let threads: NIOThreadPool
    private let idle = Mutex<[PostgresConnection]>([])

    /// - Parameters:
    ///   - url: `postgres://user:password@host:port/database`; nothing is opened yet.
    ///   - connections: 1 or more.
    package init(url: String, connections: Int) {
        self.url = url
        threads = NIOThreadPool(numberOfThreads: connections)
        threads.start()
    }

    package func prepare(seeding questions: [Question]) async throws(QuizStoreError) {
        // Several quizzes start at once, and CREATE TABLE IF NOT EXISTS is not safe against that.
        try await run { connection throws(QuizStoreError) in
            try connection.run(
                script: """
                    SELECT pg_advisory_xact_lock(7134021);
                    CREATE TABLE IF NOT EXISTS question (
                      id INTEGER PRIMARY KEY, text TEXT NOT NULL, answers TEXT NOT NULL, correct INTEGER NOT NULL);
                    CREATE TABLE IF NOT EXISTS answer (
                      id UUID PRIMARY KEY, question INTEGER NOT NULL REFERENCES question(id), choice INTEGER NOT NULL,
                      time TEXT NOT NULL);
                    CREATE INDEX IF NOT EXISTS answer_by_question ON answer(question, choice);
                    """)
            for question in questions {
                _ = try connection.run(
                    """
                    INSERT INTO question (id, text, answers, correct) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (id) DO UPDATE SET text = excluded.text, answers = excluded.answers,
                      correct = excluded.correct
                    WHERE (question.text, question.answers, question.correct)
                      IS DISTINCT FROM (excluded.text, excluded.answers, excluded.correct)
                    """,
                    [
                        "\(question.id)", question.text, StoredAnswers.text(question.answers),
                        "\(question.correctAnswerIndex)",
                    ])
            }
        }
    }

    package func questions() async throws(QuizStoreError) -> [Question] {
        try await rows("SELECT id, text, answers, correct FROM question ORDER BY id")
    }

    package func question(_ id: Int) async throws(QuizStoreError) -> Question? {
        // An id that the column cannot hold is no question, not an error.
        guard Int32(exactly: id) != nil else { return nil }
        return try await rows("SELECT id, text, answers, correct FROM question WHERE id = $1", ["\(id)"]).first
    }

    package func randomQuestion() async throws(QuizStoreError) -> Question? {
        try await rows("SELECT id, text, answers, correct FROM question ORDER BY random() LIMIT 1").first
    }

    package func record(_ verdict: Verdict) async throws(QuizStoreError) {
        // Our own key makes a repetition after a lost connection harmless.
        let key = UUID().uuidString
        try await run { connection throws(QuizStoreError) in
            _ = try connection.run(
                "INSERT INTO answer (id, question, choice, time) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
                [key, "\(verdict.questionId)", "\(verdict.answerIndex)", verdict.timestamp])
        }
    }

    package func answerCounts(of questionID: Int) async throws(QuizStoreError) -> [Int: Int] {
        let rows = try await run { connection throws(QuizStoreError) in
            try connection.run(
                "SELECT choice, count(*) FROM answer WHERE question = $1 GROUP BY choice", ["\(questionID)"])
        }
        return Dictionary(rows.map { (Int($0[0]) ?? 0, Int($0[1]) ?? 0) }) { first, _ in first }
    }

    package func ping() async throws(QuizStoreError) {
        try await run { connection throws(QuizStoreError) in
            _ = try connection.run("SELECT id FROM question LIMIT 1")
        }
    }

    package func close() async {
        idle.withLock { $0 = [] }
        try? await threads.shutdownGracefully()
    }

    private func rows(_ sql: String, _ parameters: [String] = []) async throws(QuizStoreError) -> [Question] {
        let rows = try await run { connection throws(QuizStoreError) in try connection.run(sql, parameters) }
        return rows.map { row in
            Question(
                id: Int(row[0]) ?? 0, text: row[1], answers: StoredAnswers.list(row[2]),
                correctAnswerIndex: Int(row[3]) ?? 0)
        }
    }

    private func run<Value: Sendable>(
        _ work: @escaping @Sendable (PostgresConnection) throws(QuizStoreError) -> Value
    ) async throws(QuizStoreError) -> Value {
        do {
            return try await threads.runIfActive { [self] in
                let connection = idle.withLock { $0.popLast() } ?? PostgresConnection(url: url)
                defer { idle.withLock { $0.append(connection) } }
                return try work(connection)
            }
        } catch let error as QuizStoreError {
            throw error
        } catch {
            throw QuizStoreError("\(error)")
        }
    }
}
