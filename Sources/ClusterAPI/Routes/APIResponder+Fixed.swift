import ClusterModel
import HTTPTypes
import HummingbirdCore
import NIOCore

/// What is the same for everybody: health, version, discovery, and the schemas.
extension APIResponder {
    /// The answer to `path` where it is one of these; nil for everything else.
    func fixed(_ path: String, _ request: Request) -> Response? {
        if path.hasPrefix("/api/v1/") { return nil }
        let accept = request.headers[.accept] ?? ""
        let document: JSONValue?
        switch path {
        case "/healthz", "/livez", "/readyz": return Self.text("ok", .ok)
        case "/version": document = DiscoveryDocuments.version
        case "/api", "/apis":
            if DiscoveryDocuments.wantsAggregated(accept) {
                var response = Self.json(DiscoveryDocuments.aggregated(core: path == "/api"))
                response.headers[.contentType] = DiscoveryDocuments.aggregatedType
                return response
            }
            document = path == "/api" ? DiscoveryDocuments.versions(server: server) : DiscoveryDocuments.groupList
        case "/api/v1": document = DiscoveryDocuments.resources(group: "")
        case "/openapi/v3": document = OpenAPI.index
        case "/openapi/v2": return Self.openAPIv2(accept)
        default:
            if path.hasPrefix("/openapi/v3/") { return openAPI(String(path.dropFirst(12)), request) }
            let steps = path.split(separator: "/").map(String.init)
            if steps.count == 2, steps[0] == "apis" {
                document = DiscoveryDocuments.group(steps[1])
            } else if steps.count == 3, steps[0] == "apis", steps[2] == "v1" {
                document = DiscoveryDocuments.resources(group: steps[1])
            } else {
                return nil
            }
            if document == nil { return Self.notFound() }
        }
        guard request.method == .get || request.method == .head else {
            return Self.json(
                StatusDocument.failure(APIError(.badRequest, "\(path) can only be read")), .methodNotAllowed)
        }
        return document.map { Self.json($0) }
    }

    private func openAPI(_ name: String, _ request: Request) -> Response {
        guard let document = OpenAPI.documents[name] else { return Self.notFound() }
        let tag = "\"\(document.hash)\""
        if request.headers[.ifNoneMatch] == tag {
            return Response(status: .notModified, headers: [.eTag: tag])
        }
        return Response(
            status: .ok, headers: [.contentType: "application/json", .eTag: tag],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.json)))
    }

    /// The older document, for tools that read no other.
    ///
    /// kubectl asks for it in a binary form, about kinds that the newer one does not have: in that form it is without
    /// definitions, and kubectl finds out by itself that they are not served.
    private static func openAPIv2(_ accept: String) -> Response {
        guard accept.contains("proto-openapi.spec.v2@v1.0+protobuf") else {
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: OpenAPI.older)))
        }
        return Response(
            // As the API server names it: with the `@` that clients ask for it would be no media type.
            status: .ok, headers: [.contentType: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: Self.emptyOpenAPIv2)))
    }

    /// swagger = 1, info = 2 (title = 1, version = 2), paths = 8, definitions = 9.
    private static let emptyOpenAPIv2: [UInt8] = {
        func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
            [number << 3 | 2, UInt8(content.count)] + content
        }
        let info = field(1, Array("Kubernetes".utf8)) + field(2, Array(KubernetesVersion.text.utf8))
        return field(1, Array("2.0".utf8)) + field(2, info) + field(8, []) + field(9, [])
    }()
}
