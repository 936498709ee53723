import HTTPTypes
import Hummingbird

/// Gives every answer the headers that keep browsers careful.
struct ResponseHeaders<Context: RequestContext>: RouterMiddleware {
    /// Everything from kiada itself, nothing inline, no frames around it, forms only to kiada.
    static var policy: String { "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'" }

    @concurrent func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.contentSecurityPolicy] = Self.policy
        response.headers[.referrerPolicy] = "no-referrer"
        return response
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = Self("Referrer-Policy") ?? .server
}
