import HTTPTypes
import Hummingbird

/// Gives every answer the pod's name and the headers that keep browsers careful, and words the 404 of unknown paths.
struct ResponseHeaders<Context: RequestContext>: RouterMiddleware {
    /// Everything from kiada itself, nothing inline, no frames around it, forms only to kiada.
    static var policy: String { "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'" }

    let podName: String

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound && error.body == nil {
            response = .text("\(request.uri.path) not found", status: .notFound)
        }
        response.headers[.podName] = podName
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.contentSecurityPolicy] = Self.policy
        response.headers[HTTPField.Name("Referrer-Policy") ?? .server] = "no-referrer"
        return response
    }
}
