import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
package import ServiceKit

/// The paths of the quiz service (10.4).
///
/// | path | method | answer |
/// |---|---|---|
/// | `/` | GET | which pod answers (S28) |
/// | `/questions` | GET | all questions, in JSON |
/// | `/questions/random`, `/questions/{id}` | GET | a question, without the solution |
/// | `/questions/{id}/answers` | POST | takes `{"questionId","answerIndex"}`, keeps it, says whether it is right |
/// | `/questions/{id}/stats` | GET | how the question was answered so far |
package struct QuizRoutes: Sendable {
    private static let largestBody = 4096

    private struct Submission: Decodable {
        let questionId: Int
        let answerIndex: Int
    }

    private let store: any QuizStore
    private let podName: String
    private let now: @Sendable () -> Date

    package init(store: any QuizStore, podName: String) { self.init(store: store, podName: podName) { Date() } }

    init(store: any QuizStore, podName: String, now: @escaping @Sendable () -> Date) {
        self.store = store
        self.podName = podName
        self.now = now
    }

    package func add(to router: ServiceRouter) {
        let identity = "This is the quiz service running in pod \(podName)\n"
        router.resource("/", get: { _, _ in .text(identity) })
        router.resource(
            "/questions",
            get: { _, _ in
                await answer { try .json(encoding: try await store.questions().map(PublicQuestion.init)) }
            })
        router.resource(
            "/questions/random",
            get: { _, _ in
                await answer {
                    guard let question = try await store.randomQuestion() else {
                        return .text("ERROR: There are no questions", status: .notFound)
                    }
                    return try .json(encoding: PublicQuestion(question))
                }
            })
        router.resource(
            "/questions/:id",
            get: { _, context in
                await withQuestion(context) { try .json(encoding: PublicQuestion($0)) }
            })
        router.resource(
            "/questions/:id/answers",
            post: { request, context in
                await withQuestion(context) { question in try await take(request, question) }
            })
        router.resource(
            "/questions/:id/stats",
            get: { _, context in
                await withQuestion(context) { question in
                    let counts = try await store.answerCounts(of: question.id)
                    return try .json(encoding: Statistics(question: question, counts: counts))
                }
            })
    }

    private func take(_ request: Request, _ question: Question) async throws -> Response {
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        guard type == "application/json" else {
            return .text("ERROR: the body has to be application/json", status: .unsupportedMediaType)
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: Self.largestBody)
        } catch is NIOTooManyBytesError {
            return .text("ERROR: the body is longer than \(Self.largestBody) bytes", status: .contentTooLarge)
        }
        let submission: Submission
        do {
            submission = try JSONDecoder().decode(Submission.self, from: Data(body.readableBytesView))
        } catch {
            return .text("ERROR: \(Self.reason(error))", status: .badRequest)
        }
        guard submission.questionId == question.id else {
            return .text("ERROR: questionId in payload doesn't match id in URL", status: .badRequest)
        }
        guard question.answers.indices.contains(submission.answerIndex) else {
            return .text(
                "ERROR: answerIndex \(submission.answerIndex) is not between 0 and \(question.answers.count - 1)",
                status: .badRequest)
        }
        let verdict = Verdict(
            timestamp: now().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)),
            questionId: question.id, answerIndex: submission.answerIndex,
            correctAnswerIndex: question.correctAnswerIndex)
        try await store.record(verdict)
        return try .json(encoding: verdict)
    }

    private static func reason(_ error: any Error) -> String {
        let wanted = #"the body has to be like {"questionId":1,"answerIndex":0}"#
        return switch error {
        case DecodingError.keyNotFound(let key, _): "\(key.stringValue) is missing; \(wanted)"
        case DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty,
            DecodingError.valueNotFound(_, let context) where !context.codingPath.isEmpty,
            DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is not a whole number; \(wanted)"
        default: "malformed JSON; \(wanted)"
        }
    }

    private func withQuestion(
        _ context: ServiceRequestContext, _ work: (Question) async throws -> Response
    ) async -> Response {
        let text = context.parameters.get("id") ?? ""
        return await answer {
            guard let id = Int(text), String(id) == text, let question = try await store.question(id) else {
                return .text("ERROR: Question \(text.prefix(64)) not found", status: .notFound)
            }
            return try await work(question)
        }
    }

    /// A database that does not answer is no fault of the client.
    private func answer(_ work: () async throws -> Response) async -> Response {
        do {
            return try await work()
        } catch {
            return .text("ERROR: \(error)", status: .serviceUnavailable)
        }
    }
}
