import FoundationEssentials
import GRDB

/// Keeps questions and answers in an SQLite file, for a single quiz.
package final class SQLiteQuizStore: QuizStore {
    private let pool: DatabasePool

    /// Opens `quiz.db` in a folder, which is made if it is missing.
    package init(folder: String) throws(QuizStoreError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            var configuration = Configuration()
            configuration.busyMode = .timeout(5)
            configuration.prepareDatabase { database in
                // An answer that was confirmed outlives a loss of power, not only of the process.
                try database.execute(sql: "PRAGMA synchronous = FULL")
            }
            pool = try DatabasePool(path: "\(folder)/quiz.db", configuration: configuration)
        } catch {
            throw QuizStoreError("cannot open \(folder)/quiz.db: \(error)")
        }
    }

    package func prepare(seeding questions: [Question]) async throws(QuizStoreError) {
        try await wrapped {
            try await self.pool.write { database in
                try database.execute(
                    sql: """
                        CREATE TABLE IF NOT EXISTS question (
                          id INTEGER PRIMARY KEY, text TEXT NOT NULL, answers TEXT NOT NULL, correct INTEGER NOT NULL);
                        CREATE TABLE IF NOT EXISTS answer (
                          id INTEGER PRIMARY KEY, question INTEGER NOT NULL REFERENCES question(id),
                          choice INTEGER NOT NULL, time TEXT NOT NULL);
                        CREATE INDEX IF NOT EXISTS answer_by_question ON answer(question, choice);
                        """)
                for question in questions {
                    try database.execute(
                        sql: """
                            INSERT INTO question (id, text, answers, correct) VALUES (?, ?, ?, ?)
                            ON CONFLICT (id) DO UPDATE SET text = excluded.text, answers = excluded.answers,
                              correct = excluded.correct
                            WHERE text <> excluded.text OR answers <> excluded.answers OR correct <> excluded.correct
                            """,
                        arguments: [
                            question.id, question.text, StoredAnswers.text(question.answers),
                            question.correctAnswerIndex,
                        ])
                }
            }
        }
    }

    package func questions() async throws(QuizStoreError) -> [Question] {
        try await rows("SELECT id, text, answers, correct FROM question ORDER BY id")
    }

    package func question(_ id: Int) async throws(QuizStoreError) -> Question? {
        try await rows("SELECT id, text, answers, correct FROM question WHERE id = ?", [id]).first
    }

    package func randomQuestion() async throws(QuizStoreError) -> Question? {
        try await rows("SELECT id, text, answers, correct FROM question ORDER BY random() LIMIT 1").first
    }

    package func record(_ verdict: Verdict) async throws(QuizStoreError) {
        try await wrapped {
            try await self.pool.write { database in
                try database.execute(
                    sql: "INSERT INTO answer (question, choice, time) VALUES (?, ?, ?)",
                    arguments: [verdict.questionId, verdict.answerIndex, verdict.timestamp])
            }
        }
    }

    package func answerCounts(of questionID: Int) async throws(QuizStoreError) -> [Int: Int] {
        try await wrapped {
            try await self.pool.read { database in
                let rows = try Row.fetchAll(
                    database, sql: "SELECT choice, count(*) AS n FROM answer WHERE question = ? GROUP BY choice",
                    arguments: [questionID])
                return Dictionary(rows.map { ($0["choice"] as Int, $0["n"] as Int) }) { first, _ in first }
            }
        }
    }

    package func ping() async throws(QuizStoreError) {
        try await wrapped {
            _ = try await self.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM question LIMIT 1") }
        }
    }

    package func close() async { try? pool.close() }

    private func rows(_ sql: String, _ arguments: StatementArguments = []) async throws(QuizStoreError) -> [Question] {
        try await wrapped {
            try await self.pool.read { database in
                try Row.fetchAll(database, sql: sql, arguments: arguments).map { row in
                    Question(
                        id: row["id"], text: row["text"], answers: StoredAnswers.list(row["answers"]),
                        correctAnswerIndex: row["correct"])
                }
            }
        }
    }

    private func wrapped<Value>(_ work: () async throws -> Value) async throws(QuizStoreError) -> Value {
        do {
            return try await work()
        } catch {
            throw QuizStoreError("\(error)")
        }
    }
}

/// The answers of a question as one column: a JSON array.
enum StoredAnswers {
    static func text(_ answers: [String]) -> String {
        (try? JSONEncoder().encode(answers)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }

    static func list(_ text: String) -> [String] {
        (try? JSONDecoder().decode([String].self, from: Data(text.utf8))) ?? []
    }
}
