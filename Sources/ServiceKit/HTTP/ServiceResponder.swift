package import HTTPConnections
package import HTTPTypes
import Hummingbird
package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1

/// What all answers of the suite's services have in common, around the routes of one of them.
///
/// Adds the pod's name, words errors as text, compresses, counts, and writes the access log.
package struct ServiceResponder: HTTPResponder, ExchangeResponder {
    package typealias Context = ServiceRequestContext

    private let routes: RouterResponder<ServiceRequestContext>
    private let podName: String
    private let metrics: ServiceMetrics
    private let accessLog: AccessLog
    private let lasting: LastingAnswers?
    private let direct: DirectAnswers

    /// - Parameters:
    ///   - lasting: nil in a service none of whose answers last.
    ///   - direct: routes of `router` that can do without it.
    package init(
        _ router: ServiceRouter, podName: String, metrics: ServiceMetrics, accessLog: AccessLog = AccessLog(.off),
        lasting: LastingAnswers? = nil, direct: [DirectRoute] = []
    ) {
        self.lasting = lasting
        routes = router.buildResponder()
        self.podName = podName
        self.metrics = metrics
        self.accessLog = accessLog
        self.direct = DirectAnswers(direct, podName: podName, metrics: metrics, accessLog: accessLog)
    }

    package func respond(to request: Request, context: Context) async throws -> Response {
        try await answer(to: request, context: context).response
    }

    package var contentVersion: UInt64? { lasting?.version() }

    package func begin(
        _ request: HTTPRequest, on channel: any Channel, finish: @escaping (DirectAnswer) -> Void
    ) -> Bool {
        direct.begin(request, on: channel, finish: finish)
    }

    package func answer(to request: Request, on channel: any Channel, logger: Logger) async -> ExchangeAnswer? {
        let source = ApplicationRequestContextSource(channel: channel, logger: logger)
        guard let answer = try? await answer(to: request, context: ServiceRequestContext(source: source)) else {
            return nil
        }
        guard let lasting, let route = answer.route, lasting.routes.contains(route) else {
            return ExchangeAnswer(answer.response)
        }
        return ExchangeAnswer(answer.response, repetition: answer.record)
    }

    /// An answer, and what to do when the same is given again.
    private struct Answer {
        let response: Response
        /// The pattern of the route; nil where there is none.
        let route: String?
        /// Counts and logs it once more.
        let record: @Sendable (Duration) -> Void
    }

    /// - Throws: HTTPParserError for a request that is none.
    private func answer(to request: Request, context: Context) async throws -> Answer {
        let start = ContinuousClock.now
        var response: Response
        do {
            response = try await routes.respond(to: request, context: context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            context.logger.error("a request failed", metadata: ["path": "\(request.uri.path)", "reason": "\(error)"])
            response = .text("ERROR: internal error", status: .internalServerError)
        }
        if response.status.kind == .clientError || response.status.kind == .serverError,
            response.body.contentLength == 0, request.method != .head
        {
            response = Self.worded(response, for: request)
        }
        response.headers[.podName] = podName
        response = try await Gzip.compressed(response, for: request)
        let series = metrics.series(
            method: request.method, route: context.endpointPath ?? "NotFound", status: response.status.code)
        let answer = Answer(response: response, route: context.endpointPath) { [accessLog, response] duration in
            series.add(duration)
            accessLog.write(
                request.head, status: response.status, length: response.body.contentLength,
                client: context.remoteAddress, duration: duration)
        }
        answer.record(ContinuousClock.now - start)
        return answer
    }

    /// An error that the router has no words for.
    private static func worded(_ response: Response, for request: Request) -> Response {
        let message =
            response.status == .notFound
            ? "\(request.uri.path) not found" : "ERROR: \(response.status.reasonPhrase)"
        var worded = Response.text(message, status: response.status)
        for field in response.headers where field.name != .contentLength { worded.headers[field.name] = field.value }
        return worded
    }
}
