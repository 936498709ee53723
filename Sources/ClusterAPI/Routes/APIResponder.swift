import ClusterModel
package import ClusterStore
import HTTPTypes
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore

/// The Kubernetes API over the store, as kubectl needs it.
package struct APIResponder: HTTPResponder {
    package typealias Context = APIContext

    package let store: Store
    let logs: any PodLogSource
    let logger: Logger
    /// The address that clients reach us at, such as `127.0.0.1:6443`.
    let server: String
    /// Seconds since 1970.
    let now: @Sendable () -> Int64
    private let flowControl: FlowControl

    package init(
        store: Store, logs: any PodLogSource, server: String, logger: Logger, flowControl: FlowControl = FlowControl(),
        now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.logs = logs
        self.server = server
        self.logger = logger
        self.now = now
        self.flowControl = flowControl
    }

    package func respond(to request: Request, context: Context) async throws -> Response {
        try await flowControl.run(request.method) { try await answer(request, context) } ?? Self.tooManyRequests()
    }

    private func answer(_ request: Request, _ context: Context) async throws -> Response {
        var path = request.uri.path
        if path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let query = Query(request.uri.query)
        guard Self.isOurs(host: request.head.authority) else {
            return Self.json(
                StatusDocument.failure(APIError(.forbidden, "the Host header names another server")), .forbidden)
        }
        if let response = fixed(path, request) { return response }
        guard let target = ResourcePath(path) else {
            // Without a word on which object: kubectl debug then says what is missing.
            guard path.hasSuffix("/ephemeralcontainers") else { return Self.notFound() }
            var status = StatusDocument.failure(
                APIError(.notFound, "the server could not find the requested resource"))
            // kubectl looks into them without asking whether they are there.
            status["details"] = [:]
            return Self.json(status, .notFound)
        }
        do {
            return try await respond(to: request, at: target, query, context)
        } catch let error as APIError {
            return Self.failure(error, target)
        } catch let error as BodyFailure {
            return Self.failure(error)
        } catch let error as HTTPError {
            throw error
        } catch {
            logger.error("a request failed", metadata: ["path": "\(path)", "reason": "\(error)"])
            return Self.failure(.internalError("\(error)"), target)
        }
    }

    // MARK: What is the same for everybody

    private func fixed(_ path: String, _ request: Request) -> Response? {
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

    /// A document without definitions: kubectl asks it about kinds that the newer one does not have, and then finds out by
    /// itself that they are not served.
    private static func openAPIv2(_ accept: String) -> Response {
        let document =
            #"{"swagger":"2.0","info":{"title":"Kubernetes","version":"v1.32.4"},"paths":{},"definitions":{}}"#
        guard accept.contains("proto-openapi.spec.v2@v1.0+protobuf") else {
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: document)))
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
        let info = field(1, Array("Kubernetes".utf8)) + field(2, Array("v1.32.4".utf8))
        return field(1, Array("2.0".utf8)) + field(2, info) + field(8, []) + field(9, [])
    }()

    private static func isOurs(host: String?) -> Bool {
        guard let host, !host.isEmpty else { return true }
        var name = host[...]
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") { name = name[..<colon] }
        return name == "localhost" || name.hasPrefix("127.") || name == "[::1]" || name.hasPrefix("kubernetes")
    }

    // MARK: Objects

    private func respond(
        to request: Request, at target: ResourcePath, _ query: Query, _ context: Context
    ) async throws -> Response {
        guard let type = target.resource.type else {
            guard request.method == .post else { throw Self.notAllowed(request, target) }
            return try await Reviews.answer(target.resource.name, request)
        }
        if target.subresource == "log" {
            guard request.method == .get else { throw Self.notAllowed(request, target) }
            return try await withTaskExecutorPreference(globalConcurrentExecutor) { try log(target, query) }
        }
        if ["attach", "exec", "portforward"].contains(target.subresource) {
            guard let key = target.key, let object = store.get(key) else {
                throw APIError.notFound(target.key ?? ObjectKey(type, name: ""))
            }
            if let name = query["container"], !Pod(object).hasContainer(name) {
                throw APIError(.badRequest, "container \(name) is not valid for pod \(key.name)")
            }
            throw APIError(
                .badRequest, "\(target.subresource ?? "") needs a WebSocket, as kubectl 1.31 and newer open it")
        }
        if target.subresource == "eviction" {
            guard request.method == .post, let key = target.key else { throw Self.notAllowed(request, target) }
            return try await evict(key, query, request)
        }
        if target.subresource == "scale" { return try await scale(target, query, request) }
        if request.method != .get, target.resource.group == EventShape.newGroup {
            throw Self.notAllowed(request, target)
        }
        let isStatus = target.subresource == "status"
        switch (request.method, target.name) {
        case (.get, nil):
            let selection = try Selection(target, type: type, query)
            // What may take long leaves the thread of the connections, as logs do.
            return try await withTaskExecutorPreference(globalConcurrentExecutor) {
                query.flag("watch")
                    ? try watch(selection, query, request, context) : try list(selection, query, request)
            }
        case (.get, _?): return try get(target, query, request)
        case (.post, nil): return try await create(type, target, query, request)
        case (.put, _?): return try await replace(target, query, request, isStatus: isStatus)
        case (.patch, _?): return try await patch(target, query, request, isStatus: isStatus)
        case (.delete, _?) where target.subresource == nil: return try await delete(target, query, request)
        case (.delete, nil): return try await deleteCollection(type, target, query, request)
        default: throw Self.notAllowed(request, target)
        }
    }

    private static func notAllowed(_ request: Request, _ target: ResourcePath) -> APIError {
        let verb = request.method.rawValue.lowercased()
        return APIError(
            .methodNotAllowed, "\(verb) is not supported on resources of kind \"\(target.resource.name)\"")
    }

    private func get(_ target: ResourcePath, _ query: Query, _ request: Request) throws(APIError) -> Response {
        guard let key = target.key else { throw APIError(.badRequest, "a name is missing") }
        guard let object = store.get(key) else { throw .notFound(key) }
        guard let inclusion = Self.tableInclusion(request, query) else {
            return Self.json(
                EventShape.shaped(object, for: target.resource.group).json, warnings: Self.warnings(for: key.type))
        }
        let metadata: JSONValue = ["resourceVersion": .string(object.resourceVersion ?? "")]
        return Self.json(
            Table.json([object], type: key.type, metadata: metadata, inclusion: inclusion, now: now()),
            warnings: Self.warnings(for: key.type))
    }

    private func list(_ selection: Selection, _ query: Query, _ request: Request) throws(APIError) -> Response {
        let (all, revision) = store.list(
            selection.type, namespace: selection.namespace.isEmpty ? nil : selection.namespace)
        let matching = selection.isEverything ? all : all.filter(selection.matches)
        let page = try Page(matching, query, revision: revision)
        if let inclusion = Self.tableInclusion(request, query) {
            return Self.json(
                Table.json(
                    page.items, type: selection.type, metadata: page.metadata, inclusion: inclusion, now: now()),
                warnings: Self.warnings(for: selection.type))
        }
        return Self.json(
            [
                "kind": .string("\(selection.type.kind)List"),
                "apiVersion": .string(selection.group.isEmpty ? "v1" : "\(selection.group)/v1"),
                "metadata": page.metadata,
                "items": .array(page.items.map { EventShape.shaped($0, for: selection.group).json }),
            ], warnings: Self.warnings(for: selection.type))
    }

    /// What reading a kind brings with it (semantics 3.7).
    private static func warnings(for type: ResourceType) -> [String] {
        type == .endpoints ? [endpointsWarning] : []
    }

    /// nil unless the client asks for a table.
    static func tableInclusion(_ request: Request, _ query: Query) -> Table.Inclusion? {
        let accept = request.headers[.accept] ?? ""
        let first = accept.prefix { $0 != "," }
        guard first.contains("as=Table") else { return nil }
        return query["includeObject"].flatMap(Table.Inclusion.init) ?? .metadata
    }

    // MARK: Answers

    static func json(_ value: JSONValue, _ status: HTTPResponse.Status = .ok, warnings: [String] = []) -> Response {
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-cache, private"]
        for warning in warnings.prefix(32) {
            headers.append(
                HTTPField(
                    name: HTTPField.Name("Warning") ?? .server,
                    value: "299 - \"\(warning.replacing("\"", with: "\\\""))\""))
        }
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.serialized())))
    }

    static func text(_ text: String, _ status: HTTPResponse.Status) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private static func notFound() -> Response { text("404 page not found\n", .notFound) }

    private static func failure(_ error: APIError, _ target: ResourcePath) -> Response {
        let key = target.resource.type.map {
            ObjectKey($0, namespace: target.namespace, name: target.name ?? error.objectName ?? "")
        }
        return json(
            StatusDocument.failure(error, key: key), HTTPResponse.Status(code: error.reason.code))
    }

    static func tooManyRequests() -> Response {
        var response = json(
            StatusDocument.failure(
                APIError(
                    .tooManyRequests, "the server has received too many requests and has asked us to try again later")),
            .tooManyRequests)
        response.headers[.retryAfter] = "1"
        return response
    }

    private static func failure(_ failure: BodyFailure) -> Response {
        switch failure {
        case .tooLarge:
            json(
                StatusDocument.failure(
                    APIError(
                        .requestEntityTooLarge, "Request entity too large: limit is \(BodyReader.largest)")),
                .contentTooLarge)
        case .inapplicable:
            // Not a word on which object, as the API server has it: kubectl then shows the message.
            json(
                StatusDocument.failure(
                    APIError(.invalid, "the server rejected our request due to an error in our request")),
                .unprocessableContent)
        case .broken: json(StatusDocument.failure(APIError(.badRequest, "the body is cut off")), .badRequest)
        case .unsupported(let type):
            json(
                StatusDocument.failure(
                    APIError(.unsupportedMediaType, "the body of the request was in an unknown format: \(type)")),
                .unsupportedMediaType)
        }
    }
}

/// A part of a list, and how to get the next one (kubectl-wire 5).
private struct Page {
    let items: [KubeObject]
    let metadata: JSONValue

    /// - Parameter matching: sorted by namespace and name.
    init(_ matching: [KubeObject], _ query: Query, revision: UInt64) throws(APIError) {
        var rest = matching[...]
        if let token = query["continue"], !token.isEmpty {
            let parts = token.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw APIError(.badRequest, "continue: not one of our tokens") }
            rest = rest.drop { ($0.namespace, $0.name) <= (parts[0], parts[1]) }
        }
        let limit = try query.number("limit") ?? 0
        items = Array(limit > 0 ? rest.prefix(limit) : rest)
        var metadata: JSONValue = ["resourceVersion": .string("\(revision)")]
        if rest.count > items.count, let last = items.last {
            metadata["continue"] = .string("\(last.namespace)/\(last.name)")
            metadata["remainingItemCount"] = JSONValue(rest.count - items.count)
        }
        self.metadata = metadata
    }
}
