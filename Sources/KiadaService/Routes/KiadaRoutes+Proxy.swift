import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit

/// What scripts in a browser may ask of the dependencies; there is no other way through kiada to them.
extension KiadaRoutes {
    /// The longest acceptable body of a submission, in bytes.
    private static var bodyLimit: Int { 4096 }

    func addProxy<Context: RemoteAddressRequestContext>(to router: Router<Context>) {
        router.resource(
            "/proxy/quote",
            get: { request, _ in
                await relayed { () async throws(UpstreamError) in
                    let served = try await self.quote.quote(trace: request.trace)
                    guard let json = try? JSONEncoder().encode(served.value) else { throw .invalidResponse }
                    return (Array(json), served.podName)
                }
            })
        router.resource(
            "/proxy/quiz/questions/random",
            get: { request, _ in
                await relayedQuestion(.random, trace: request.trace)
            })
        router.resource(
            "/proxy/quiz/questions/:id",
            get: { request, context in
                await relayedQuestion(.question(try questionID(context)), trace: request.trace)
            })
        router.resource(
            "/proxy/quiz/questions/:id/answers",
            post: { request, context in
                try await relayedAnswer(request, to: try questionID(context))
            })
    }

    private func relayedQuestion(_ choice: QuizBackend.Choice, trace: TraceContext) async -> Response {
        await relayed { () async throws(UpstreamError) in
            let served = try await self.quiz.question(choice, trace: trace)
            return (served.body, served.podName)
        }
    }

    private func relayedAnswer(_ request: Request, to id: QuestionID) async throws -> Response {
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        guard type == "application/json" else {
            return Self.failure("the body has to be application/json", status: .unsupportedMediaType)
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: Self.bodyLimit)
        } catch is NIOTooManyBytesError {
            return Self.failure("the body is longer than \(Self.bodyLimit) bytes", status: .contentTooLarge)
        }
        guard let submission = try? JSONDecoder().decode(Submission.self, from: Data(body.readableBytesView)) else {
            return Self.failure(
                "the body has to be like {\"questionId\":1,\"answerIndex\":0}", status: .badRequest)
        }
        return await relayed { () async throws(UpstreamError) in
            let served = try await self.quiz.verdict(on: submission, to: id, trace: request.trace)
            return (served.body, served.podName)
        }
    }

    private func questionID(_ context: some RequestContext) throws -> QuestionID {
        guard let id = context.parameters.get("id").flatMap({ QuestionID(pathComponent: $0) }) else {
            throw HTTPError(.notFound)
        }
        return id
    }

    /// The JSON document that `work` gets from a dependency, or its failure.
    private func relayed(
        _ work: () async throws(UpstreamError) -> (json: [UInt8], podName: String?)
    ) async -> Response {
        do {
            let served = try await work()
            var response = Response.json(served.json)
            response.headers[.upstreamPodName] = served.podName
            return response
        } catch {
            return Self.failure(error.gatewayMessage, status: error.gatewayStatus)
        }
    }

    private static func failure(_ message: String, status: HTTPResponse.Status) -> Response {
        let json = try? JSONEncoder().encode(ErrorBody(message: message))
        return .json(json ?? Data("{}".utf8), status: status)
    }
}
