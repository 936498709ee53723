/// A question with its answers, as `GET /questions/random` of a quiz gives it.
///
/// Other members, such as the book's `correctAnswerIndex`, are ignored. A question without text or without answers
/// is refused.
package struct Question: Equatable, Sendable {
    package let id: QuestionID
    package let text: String
    package let answers: [String]

    package init(id: QuestionID, text: String, answers: [String]) {
        self.id = id
        self.text = text
        self.answers = answers
    }
}

extension Question: Decodable {
    private enum CodingKeys: CodingKey { case id, text, answers }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(QuestionID.self, forKey: .id)
        text = try container.decode(String.self, forKey: .text)
        answers = try container.decode([String].self, forKey: .answers)
        guard !text.isEmpty, !answers.isEmpty else {
            throw DecodingError.dataCorruptedError(
                forKey: .answers, in: container, debugDescription: "a question needs a text and answers")
        }
    }
}
