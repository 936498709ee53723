import FoundationEssentials

/// A question with its answers, and which of them is right.
package struct Question: Codable, Equatable, Sendable {
    package let id: Int
    package let text: String
    package let answers: [String]
    /// From 0; clients learn it only by answering.
    package let correctAnswerIndex: Int

    package init(id: Int, text: String, answers: [String], correctAnswerIndex: Int) {
        self.id = id
        self.text = text
        self.answers = answers
        self.correctAnswerIndex = correctAnswerIndex
    }

    /// The questions that ship with the program.
    package static let bundled: [Question] = {
        guard
            let questions = try? JSONDecoder().decode([Question].self, from: Data(PackageResources.questions_json))
        else {
            preconditionFailure("the bundled questions are part of the program and valid JSON")
        }
        return questions
    }()
}

/// A question without its solution, as it is served.
package struct PublicQuestion: Codable, Equatable, Sendable {
    package let id: Int
    package let text: String
    package let answers: [String]

    package init(_ question: Question) {
        id = question.id
        text = question.text
        answers = question.answers
    }
}

/// An answer that was recorded: the body of the reply to `POST /questions/{id}/answers`.
package struct Verdict: Codable, Equatable, Sendable {
    /// RFC 3339 in UTC, with milliseconds.
    package let timestamp: String
    package let questionId: Int
    package let answerIndex: Int
    package let correctAnswerIndex: Int
    package let correct: Bool

    package init(timestamp: String, questionId: Int, answerIndex: Int, correctAnswerIndex: Int) {
        self.timestamp = timestamp
        self.questionId = questionId
        self.answerIndex = answerIndex
        self.correctAnswerIndex = correctAnswerIndex
        correct = answerIndex == correctAnswerIndex
    }
}

/// How a question was answered so far.
package struct Statistics: Codable, Equatable, Sendable {
    package let questionId: Int
    package let total: Int
    package let correct: Int
    /// By answer, as the question lists them.
    package let counts: [Int]

    package init(question: Question, counts: [Int: Int]) {
        questionId = question.id
        self.counts = question.answers.indices.map { counts[$0] ?? 0 }
        total = self.counts.reduce(0, +)
        correct = counts[question.correctAnswerIndex] ?? 0
    }
}
