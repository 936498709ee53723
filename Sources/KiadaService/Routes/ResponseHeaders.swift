import HTTPTypes
import Hummingbird

/// Gives every answer the headers that keep browsers careful.
struct ResponseHeaders<Context: RequestContext>: RouterMiddleware {
    @concurrent func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for field in HTTPFields.careful { response.headers[field.name] = field.value }
        return response
    }
}

extension HTTPFields {
    /// Everything from kiada itself, nothing inline, no frames around it, forms only to kiada.
    private static let policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

    /// What keeps browsers careful.
    static let careful: HTTPFields = [
        .xContentTypeOptions: "nosniff", .contentSecurityPolicy: policy, .referrerPolicy: "no-referrer",
    ]
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = Self("Referrer-Policy") ?? .server
}
