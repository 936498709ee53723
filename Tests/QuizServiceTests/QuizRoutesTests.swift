import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import KiadaTesting
import Logging
import NIOCore
import ServiceKit
import Testing

@testable import QuizService

@Suite("Paths of the quiz service (10.4)")
struct QuizRoutesTests {
    private let folder: TemporaryFolder
    private let store: SQLiteQuizStore
    private let database: QuizDatabase

    init() async throws {
        folder = try TemporaryFolder("quiz")
        store = try SQLiteQuizStore(folder: folder.path)
        database = QuizDatabase(
            store, questions: QuizStoreContract.questions, logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        #expect(await database.prepare())
    }

    private func application() -> some ApplicationProtocol {
        let router = ServiceRouter(context: ServiceRequestContext.self)
        QuizRoutes(store: store, podName: "quiz") { Date(timeIntervalSince1970: 0.5) }.add(to: router)
        let metrics = ServiceMetrics(program: "quiz")
        return Application(responder: ServiceResponder(router, podName: "quiz", metrics: metrics))
    }

    private static let json: HTTPFields = [.contentType: "application/json"]

    @Test("S28 the identity line")
    func identity() async throws {
        try await application().test(.router) { client in
            try await client.execute(uri: "/", method: .get) { response in
                #expect(String(buffer: response.body) == "This is the quiz service running in pod quiz\n")
            }
        }
    }

    @Test("questions do not give the right answer away")
    func questions() async throws {
        try await application().test(.router) { client in
            for path in ["/questions/2", "/questions/random", "/questions"] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.status == .ok)
                    #expect(response.headers[.contentType] == "application/json")
                    #expect(!String(buffer: response.body).contains("correct"))
                }
            }
            try await client.execute(uri: "/questions/2", method: .get) { response in
                #expect(
                    String(buffer: response.body) == "{\"answers\":[\"yes\",\"no\"],\"id\":2,\"text\":\"Another?\"}\n")
            }
        }
    }

    @Test("an answer is judged, kept and counted")
    func answering() async throws {
        try await application().test(.router) { client in
            try await client.execute(
                uri: "/questions/1/answers", method: .post, headers: Self.json,
                body: ByteBuffer(string: #"{"questionId":1,"answerIndex":0}"#)
            ) { response in
                #expect(
                    String(buffer: response.body)
                        == #"{"answerIndex":0,"correct":false,"correctAnswerIndex":1,"questionId":1,"timestamp":"1970-01-01T00:00:00.500Z"}"#
                        + "\n")
            }
            try await client.execute(
                uri: "/questions/1/answers", method: .post, headers: [.contentType: "application/json; charset=utf-8"],
                body: ByteBuffer(string: #"{"questionId":1,"answerIndex":1}"#)
            ) { response in #expect(String(buffer: response.body).contains(#""correct":true"#)) }
            try await client.execute(uri: "/questions/1/stats", method: .get) { response in
                #expect(
                    String(buffer: response.body) == #"{"correct":1,"counts":[1,1,0],"questionId":1,"total":2}"# + "\n")
            }
        }
    }

    @Test(
        "what is wrong with an answer",
        arguments: [
            ("/questions/9/answers", #"{"questionId":9,"answerIndex":0}"#, 404, "ERROR: Question 9 not found"),
            ("/questions/01/answers", #"{"questionId":1,"answerIndex":0}"#, 404, "ERROR: Question 01 not found"),
            (
                "/questions/1/answers", #"{"questionId":2,"answerIndex":0}"#, 400,
                "ERROR: questionId in payload doesn't match id in URL"
            ),
            (
                "/questions/1/answers", #"{"questionId":1,"answerIndex":3}"#, 400,
                "ERROR: answerIndex 3 is not between 0 and 2"
            ),
            (
                "/questions/1/answers", #"{"questionId":1,"answerIndex":-1}"#, 400,
                "ERROR: answerIndex -1 is not between 0 and 2"
            ),
            ("/questions/1/answers", #"{"questionId":1}"#, 400, "ERROR: answerIndex is missing"),
            (
                "/questions/1/answers", #"{"questionId":1,"answerIndex":"x"}"#, 400,
                "ERROR: answerIndex is not a whole number"
            ),
            ("/questions/1/answers", #"{"questionId":"#, 400, "ERROR: malformed JSON"),
            ("/questions/1/answers", String(repeating: " ", count: 5000), 413, "ERROR: the body is longer than 4096"),
        ])
    func refusals(path: String, body: String, status: Int, text: String) async throws {
        try await application().test(.router) { client in
            try await client.execute(uri: path, method: .post, headers: Self.json, body: ByteBuffer(string: body)) {
                #expect($0.status.code == status)
                #expect(String(buffer: $0.body).hasPrefix(text))
            }
        }
        #expect(try await store.answerCounts(of: 1).isEmpty)
    }

    @Test("415 without JSON, 405 with Allow")
    func methods() async throws {
        try await application().test(.router) { client in
            try await client.execute(
                uri: "/questions/1/answers", method: .post, body: ByteBuffer(string: "questionId=1")
            ) { #expect($0.status == .unsupportedMediaType) }
            try await client.execute(uri: "/questions/1/answers", method: .get) { response in
                #expect(response.status == .methodNotAllowed && response.headers[.allow] == "POST")
            }
        }
    }

    @Test("a database that is gone: 503 with the reason, and not ready")
    func outage() async throws {
        try await database.check()
        await store.close()
        await #expect(throws: (any Error).self) { try await database.check() }
        try await application().test(.router) { client in
            try await client.execute(uri: "/questions", method: .get) { response in
                #expect(response.status == .serviceUnavailable)
                #expect(String(buffer: response.body).hasPrefix("ERROR: "))
            }
        }
    }

    @Test("at least 40 questions ship with the program, each with a right answer")
    func bundled() {
        #expect(Question.bundled.count >= 40)
        #expect(Set(Question.bundled.map(\.text)).count == Question.bundled.count)
        #expect(Question.bundled.map(\.id) == Array(1...Question.bundled.count))
        #expect(
            Question.bundled.allSatisfy {
                $0.answers.indices.contains($0.correctAnswerIndex) && Set($0.answers).count == $0.answers.count
            })
    }
}
