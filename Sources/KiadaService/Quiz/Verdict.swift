/// What a quiz says about an answer.
package struct Verdict: Equatable, Sendable, Decodable {
    /// Counts from 0, as `Question.answers` does.
    package let correctAnswerIndex: Int
    package let correct: Bool

    package init(correctAnswerIndex: Int, correct: Bool) {
        self.correctAnswerIndex = correctAnswerIndex
        self.correct = correct
    }

    /// One line that tells whether the answer was right and which one is.
    ///
    /// - Parameters:
    ///   - index: the answer that was chosen.
    ///   - id: the question that was answered.
    ///   - question: its texts; without them the line gives the numbers alone.
    package func text(answer index: Int, to id: QuestionID, question: Question?) -> String {
        func named(_ index: Int) -> String {
            guard let answers = question?.answers, answers.indices.contains(index) else { return "\(index)" }
            return "\(index)) \(answers[index])"
        }
        return correct
            ? "Right! The answer to question \(id) is \(named(correctAnswerIndex))"
            : "Wrong. You chose \(named(index)) - the right answer to question \(id) is \(named(correctAnswerIndex))"
    }
}

/// An answer on its way to a quiz: the body of `POST /questions/{id}/answers`.
package struct Submission: Equatable, Sendable, Codable {
    package let questionId: QuestionID
    package let answerIndex: Int

    package init(questionId: QuestionID, answerIndex: Int) {
        self.questionId = questionId
        self.answerIndex = answerIndex
    }
}
