import HTTPTypes
package import Hummingbird

extension Router {
    package typealias Handler = @Sendable (Request, Context) async throws -> Response

    /// Serves `path`: GET and HEAD by `get`, POST by `post`, and 405 with `Allow` for every other method.
    package func resource(_ path: RouterPath, get: Handler? = nil, post: Handler? = nil) {
        var allowed: [HTTPRequest.Method] = []
        if let get {
            on(path, method: .get, use: get)
            on(path, method: .head) { request, context in try await get(request, context).createHeadResponse() }
            allowed += [.get, .head]
        }
        if let post {
            on(path, method: .post, use: post)
            allowed.append(.post)
        }
        let allow = allowed.map(\.rawValue).joined(separator: ", ")
        for method in [.get, .head, .post, .put, .patch, .delete, .options] as [HTTPRequest.Method]
        where !allowed.contains(method) {
            on(path, method: method) { _, _ in
                var response = Response.text(
                    "\(method.rawValue) is not possible here, only \(allow)", status: .methodNotAllowed)
                response.headers[.allow] = allow
                return response
            }
        }
    }
}
