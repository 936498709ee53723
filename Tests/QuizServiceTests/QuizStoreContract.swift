import KiadaTesting
import QuizService
import Testing

/// What every ``QuizStore`` promises; each check begins with a database of its own.
struct QuizStoreContract {
    static let questions = [
        Question(
            id: 1, text: "Which \"one\"?", answers: ["a", "b'; DROP TABLE question; --", "ü"], correctAnswerIndex: 1),
        Question(id: 2, text: "Another?", answers: ["yes", "no"], correctAnswerIndex: 0),
    ]

    let store: any QuizStore

    /// Runs all checks, one after the other, on one database.
    func check() async throws {
        try await store.prepare(seeding: Self.questions)
        try await seedingIsIdempotent()
        try await questionsComeBackAsTheyAre()
        try await answersAreCounted()
        try await concurrentAnswersAreAllKept()
        try await store.ping()
    }

    private func seedingIsIdempotent() async throws {
        try await store.prepare(seeding: Self.questions)
        #expect(try await store.questions() == Self.questions)
        var changed = Self.questions
        changed[1] = Question(id: 2, text: "Changed?", answers: ["yes", "no"], correctAnswerIndex: 1)
        try await store.prepare(seeding: changed)
        #expect(try await store.questions() == changed)
        try await store.prepare(seeding: Self.questions)
    }

    private func questionsComeBackAsTheyAre() async throws {
        #expect(try await store.question(1) == Self.questions[0])
        for id in [0, -1, 3, Int.max] { #expect(try await store.question(id) == nil) }
        var seen: Set<Int> = []
        for _ in 0..<200 where seen.count < 2 { seen.insert(try #require(try await store.randomQuestion()).id) }
        #expect(seen == [1, 2])
    }

    private func answersAreCounted() async throws {
        #expect(try await store.answerCounts(of: 1) == [:])
        for index in [0, 1, 1] {
            try await store.record(
                Verdict(timestamp: "2026-11-24T12:00:00.000Z", questionId: 1, answerIndex: index, correctAnswerIndex: 1)
            )
        }
        #expect(try await store.answerCounts(of: 1) == [0: 1, 1: 2])
        #expect(try await store.answerCounts(of: 2) == [:])
    }

    private func concurrentAnswersAreAllKept() async throws {
        let store = store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await store.record(
                        Verdict(
                            timestamp: "2026-11-24T12:00:00.000Z", questionId: 2, answerIndex: 0,
                            correctAnswerIndex: 0))
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.answerCounts(of: 2) == [0: 50])
    }
}
