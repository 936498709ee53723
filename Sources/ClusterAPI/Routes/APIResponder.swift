import ClusterModel
package import ClusterStore
package import HTTPConnections
import HTTPTypes
package import HummingbirdCore
package import Logging
package import NIOCore

/// The Kubernetes API over the store, as kubectl needs it.
package struct APIResponder: ExchangeResponder {
    package let store: Store
    let logs: any PodLogSource
    let logger: Logger
    /// The address that clients reach us at, such as `127.0.0.1:6443`.
    let server: String
    /// Seconds since 1970.
    let now: @Sendable () -> Int64
    private let flowControl: FlowControl
    private let pages = ListPages()

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

    package func answer(to request: Request, on channel: any Channel, logger: Logger) async -> ExchangeAnswer? {
        ExchangeAnswer(
            await flowControl.run(request.method) { await answer(request, channel) } ?? Self.tooManyRequests())
    }

    private func answer(_ request: Request, _ channel: any Channel) async -> Response {
        var path = request.uri.path
        if path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let query = Query(request.uri.query)
        guard HostField.isOurs(request.head.authority) else {
            return Self.json(
                StatusDocument.failure(APIError(.forbidden, "the Host header names another server")), .forbidden)
        }
        if let response = fixed(path, request) { return response }
        if let target = ProxyTarget(request.uri.path) { return await proxy(request, to: target, on: channel) }
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
            return try await respond(to: request, at: target, query, channel)
        } catch let error as APIError {
            return Self.failure(error, target)
        } catch let error as BodyFailure {
            return Self.failure(error)
        } catch {
            logger.error("a request failed", metadata: ["path": "\(path)", "reason": "\(error)"])
            return Self.failure(.internalError("\(error)"), target)
        }
    }

    // MARK: Objects

    private func respond(
        to request: Request, at target: ResourcePath, _ query: Query, _ channel: any Channel
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
        if target.subresource == "binding" {
            guard request.method == .post, let key = target.key else { throw Self.notAllowed(request, target) }
            return try await bind(key, query, request)
        }
        if target.subresource == "finalize" {
            guard request.method == .put, let key = target.key else { throw Self.notAllowed(request, target) }
            return try await finalize(key, target, query, request)
        }
        let isStatus = target.subresource == "status"
        switch (request.method, target.name) {
        case (.get, nil):
            let selection = try Selection(target, type: type, query)
            // What may take long leaves the thread of the connections, as logs do.
            return try await withTaskExecutorPreference(globalConcurrentExecutor) {
                query.flag("watch")
                    ? try watch(selection, query, request, channel) : try list(selection, query, request)
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
        let json: JSONValue
        switch try AnswerForm(request, query) {
        case .plain: json = EventShape.shaped(object, for: target.resource.group).json
        case .metadata: json = AnswerForm.partial(object)
        case .table(let inclusion):
            let metadata: JSONValue = ["resourceVersion": .string(object.resourceVersion ?? "")]
            json = Table.json([object], type: key.type, metadata: metadata, inclusion: inclusion, now: now())
        }
        return Self.json(json, warnings: Self.warnings(for: key.type))
    }

    private func list(_ selection: Selection, _ query: Query, _ request: Request) throws(APIError) -> Response {
        let form = try AnswerForm(request, query)
        try ListOptionRules.check(query)
        let page = try pages.page(selection, query, in: store, now: now())
        let json: JSONValue
        switch form {
        case .plain:
            json = [
                "kind": .string("\(selection.type.kind)List"),
                "apiVersion": .string(selection.group.isEmpty ? "v1" : "\(selection.group)/v1"),
                "metadata": page.metadata,
                "items": .array(page.items.map { EventShape.shaped($0, for: selection.group).json }),
            ]
        case .metadata:
            json = [
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": page.metadata,
                "items": .array(page.items.map(AnswerForm.partial)),
            ]
        case .table(let inclusion):
            json = Table.json(
                page.items, type: selection.type, metadata: page.metadata, inclusion: inclusion, now: now())
        }
        return Self.json(json, warnings: Self.warnings(for: selection.type))
    }

    /// What reading a kind brings with it (semantics 3.7).
    private static func warnings(for type: ResourceType) -> [String] {
        type == .endpoints ? [endpointsWarning] : []
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

    static func notFound() -> Response { text("404 page not found\n", .notFound) }

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

    static func failure(_ failure: BodyFailure) -> Response {
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
                    APIError(
                        .unsupportedMediaType,
                        "the body of the request was in an unknown format - accepted media types include: "
                            + BodyReader.accepted(isPatch: type.contains("patch")))),
                .unsupportedMediaType)
        }
    }
}
