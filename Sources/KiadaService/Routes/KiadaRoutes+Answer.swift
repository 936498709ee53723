import HTTPTypes
import Hummingbird
import ServiceKit

extension KiadaRoutes {
    /// Answers a question as the pages offer it: the path says everything, a body is ignored.
    func answer(_ request: Request, _ context: some RemoteAddressRequestContext) async throws -> Response {
        guard let id = context.parameters.get("id").flatMap({ QuestionID(pathComponent: $0) }) else {
            throw HTTPError(.notFound)
        }
        guard let index = context.parameters.get("index").flatMap({ Int($0) }), index >= 0 else {
            return .text("ERROR: the index of an answer is a whole number from 0", status: .badRequest)
        }
        let trace = request.trace
        let submission = Submission(questionId: id, answerIndex: index)
        async let verdict = Result { () async throws(UpstreamError) in
            try await self.quiz.verdict(on: submission, to: id, trace: trace).value
        }
        if request.prefersHTML {
            let contents = await contents(.question(id), request, context)
            let outcome = await HTMLPage.Outcome(answerIndex: index, verdict: verdict)
            return .html(page.html(contents, outcome: outcome), status: outcome.verdict.responseStatus)
        }
        // The texts of the answers are a kindness; without them the verdict stands.
        async let question = try? self.quiz.question(.question(id), trace: trace).value
        switch await verdict {
        case .success(let verdict): return .text(verdict.text(answer: index, to: id, question: await question))
        case .failure(let error): return .text("ERROR: \(error.gatewayMessage)", status: error.gatewayStatus)
        }
    }
}

extension Result<Verdict, UpstreamError> {
    fileprivate var responseStatus: HTTPResponse.Status {
        switch self {
        case .success: .ok
        case .failure(let error): error.gatewayStatus
        }
    }
}
