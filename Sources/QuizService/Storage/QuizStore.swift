/// Where questions and answers are kept.
///
/// All implementations pass one contract suite. What ``record(_:)`` has returned from is on disk.
package protocol QuizStore: Sendable {
    /// Makes the tables and puts `questions` in: the same ones again change nothing, changed ones are replaced.
    func prepare(seeding questions: [Question]) async throws(QuizStoreError)

    /// All questions, by id.
    func questions() async throws(QuizStoreError) -> [Question]

    /// nil when there is no such question.
    func question(_ id: Int) async throws(QuizStoreError) -> Question?

    /// Any question; nil when there are none.
    func randomQuestion() async throws(QuizStoreError) -> Question?

    /// Keeps an answer for ever.
    func record(_ verdict: Verdict) async throws(QuizStoreError)

    /// How often each answer of a question was given, by index; answers never given are left out.
    func answerCounts(of questionID: Int) async throws(QuizStoreError) -> [Int: Int]

    /// Asks the database something, to see whether it answers.
    func ping() async throws(QuizStoreError)

    /// Closes all connections.
    func close() async
}

/// Why the database did not do what it should, in its own words.
package struct QuizStoreError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
