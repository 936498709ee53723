import FoundationEssentials
import NIOCore
import ServiceDiscovery

/// The quote service, as kiada sees it.
package struct QuoteBackend: Sendable {
    package let dependency: Dependency
    /// The request without a trace.
    private let prepared: PreparedRequest?

    package init(_ dependency: Dependency) {
        self.dependency = dependency
        prepared = dependency.prepared { Self.request(at: $0, TraceContext()) }
    }

    /// The present quote.
    ///
    /// An explicit URL is the quote's own (`http://quote/quote`, S56); without a path in it, or without a URL, the
    /// quote is at `/quote`. Line breaks inside are kept, those at the end are not part of it. What is empty, not
    /// UTF-8 or contains a NUL is no quote.
    package func quote(trace: TraceContext) async throws(UpstreamError) -> Served<String> {
        try Self.quote(in: try await dependency.response { Self.request(at: $0, trace) })
    }

    /// The present quote without a task; only of a dependency that ``Dependency/isSettled``.
    ///
    /// - Parameter answer: called once, on the loop.
    func ask(
        trace: TraceContext, on loop: any EventLoop, answer: @escaping (Result<Served<String>, UpstreamError>) -> Void
    ) {
        let request = trace.isEmpty ? prepared : dependency.prepared { Self.request(at: $0, trace) }
        guard let request else { preconditionFailure("asked without a task, of a place that is not known") }
        dependency.ask(request, on: loop) { result in
            answer(Result { () throws(UpstreamError) in try Self.quote(in: result.get()) })
        }
    }

    private static func request(at location: DiscoveredService, _ trace: TraceContext) -> UpstreamRequest {
        UpstreamRequest(path: location.basePath.isEmpty ? "/quote" : location.basePath, trace: trace)
    }

    private static func quote(in response: UpstreamResponse) throws(UpstreamError) -> Served<String> {
        guard !response.body.contains(0), var text = String(validating: response.body, as: UTF8.self) else {
            throw .invalidResponse
        }
        while mayEndLine(text.utf8.last), text.last?.isNewline == true { text.removeLast() }
        guard !text.isEmpty else { throw .invalidResponse }
        return Served(text, podName: response.podName, body: response.body)
    }

    /// Whether a line break may end with this octet; to ask the character costs more.
    private static func mayEndLine(_ octet: UInt8?) -> Bool {
        octet.map { (0x0A...0x0D).contains($0) || $0 >= 0x80 } ?? false
    }
}

/// The quiz service, as kiada sees it.
package struct QuizBackend: Sendable {
    /// Which question is wanted.
    package enum Choice: Equatable, Sendable {
        case random
        case question(QuestionID)

        fileprivate var path: String {
            switch self {
            case .random: "/questions/random"
            case .question(let id): "/questions/\(id.pathComponent)"
            }
        }
    }

    package let dependency: Dependency
    private let known = KnownQuestions()
    /// The request for a random question without a trace.
    private let prepared: PreparedRequest?

    package init(_ dependency: Dependency) {
        self.dependency = dependency
        prepared = dependency.prepared { Self.request(.random, at: $0, TraceContext()) }
    }

    package func question(_ choice: Choice, trace: TraceContext) async throws(UpstreamError) -> Served<Question> {
        try question(in: try await dependency.response { Self.request(choice, at: $0, trace) })
    }

    /// A random question without a task; only of a dependency that ``Dependency/isSettled``.
    ///
    /// - Parameter answer: called once, on the loop.
    func askRandom(
        trace: TraceContext, on loop: any EventLoop,
        answer: @escaping (Result<Served<Question>, UpstreamError>) -> Void
    ) {
        let request = trace.isEmpty ? prepared : dependency.prepared { Self.request(.random, at: $0, trace) }
        guard let request else { preconditionFailure("asked without a task, of a place that is not known") }
        dependency.ask(request, on: loop) { [self] result in
            answer(Result { () throws(UpstreamError) in try question(in: result.get()) })
        }
    }

    private static func request(
        _ choice: Choice, at location: DiscoveredService, _ trace: TraceContext
    ) -> UpstreamRequest {
        UpstreamRequest(path: location.path(choice.path), trace: trace)
    }

    private func question(in response: UpstreamResponse) throws(UpstreamError) -> Served<Question> {
        if let question = known[response.body] {
            return Served(question, podName: response.podName, body: response.body)
        }
        let served: Served<Question> = try decoded(response)
        known.add(served.value, read: response.body)
        return served
    }

    /// The verdict on `submission`, which goes to the question `id` as it is.
    package func verdict(
        on submission: Submission, to id: QuestionID, trace: TraceContext
    ) async throws(UpstreamError) -> Served<Verdict> {
        guard let json = try? JSONEncoder().encode(submission) else { throw .invalidResponse }
        let response = try await dependency.response { location in
            UpstreamRequest(
                path: location.path("/questions/\(id.pathComponent)/answers"), json: [UInt8](json), trace: trace)
        }
        return try decoded(response)
    }

    private func decoded<Value: Decodable>(_ response: UpstreamResponse) throws(UpstreamError) -> Served<Value> {
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(response.body)) else {
            throw .invalidResponse
        }
        return Served(value, podName: response.podName, body: response.body)
    }
}
