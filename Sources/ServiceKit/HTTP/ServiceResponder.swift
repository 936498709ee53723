import HTTPTypes
package import Hummingbird
import Logging
import NIOHTTP1

/// What all answers of the suite's services have in common, around the routes of one of them.
///
/// Adds the pod's name, words errors as text, compresses, counts, and writes the access log.
package struct ServiceResponder: HTTPResponder {
    package typealias Context = ServiceRequestContext

    private let routes: RouterResponder<ServiceRequestContext>
    private let podName: String
    private let metrics: ServiceMetrics
    private let accessLog: AccessLog

    package init(
        _ router: ServiceRouter, podName: String, metrics: ServiceMetrics, accessLog: AccessLog = AccessLog(.off)
    ) {
        routes = router.buildResponder()
        self.podName = podName
        self.metrics = metrics
        self.accessLog = accessLog
    }

    package func respond(to request: Request, context: Context) async throws -> Response {
        let start = ContinuousClock.now
        var response: Response
        do {
            response = try await routes.respond(to: request, context: context)
        } catch let error as HTTPError {
            response = Self.response(to: request, for: error)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            context.logger.error("a request failed", metadata: ["path": "\(request.uri.path)", "reason": "\(error)"])
            response = .text("ERROR: internal error", status: .internalServerError)
        }
        response.headers[.podName] = podName
        response = try await Gzip.compressed(response, for: request)
        let duration = ContinuousClock.now - start
        metrics.requestEnded(
            method: request.method, route: context.endpointPath ?? "NotFound", status: response.status.code,
            duration: duration)
        accessLog.write(request, response, context, duration: duration)
        return response
    }

    private static func response(to request: Request, for error: HTTPError) -> Response {
        let message: String
        switch (error.status, error.body) {
        case (_, let body?): message = "ERROR: \(body)"
        case (.notFound, nil): message = "\(request.uri.path) not found"
        case (let status, nil): message = "ERROR: \(status.reasonPhrase)"
        }
        var response = Response.text(message, status: error.status)
        for field in error.headers { response.headers[field.name] = field.value }
        return response
    }
}
