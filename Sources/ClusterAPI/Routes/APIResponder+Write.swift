import ClusterModel
import ClusterStore
import HTTPTypes
import HummingbirdCore

/// Creating, replacing, patching and deleting (kubectl-wire 8, 9).
extension APIResponder {
    func create(
        _ type: ResourceType, _ target: ResourcePath, _ query: Query, _ request: Request
    ) async throws -> Response {
        var (object, warnings) = try checked(try await BodyReader.document(request), type, target, query)
        if type.isNamespaced { object.namespace = target.namespace.isEmpty ? "default" : target.namespace }
        object.resourceVersion = nil
        // It is the controllers' to write.
        if type != .nodes, object.json["status"] != nil { object.json["status"] = nil }
        if object.hasOwners { object.json["metadata"]?["managedFields"] = nil }
        if type == .endpoints { warnings.append(Self.endpointsWarning) }
        Self.convertSecret(&object)
        let stored = try store.create(object, isDryRun: try query.isDryRun())
        return Self.json(
            EventShape.shaped(stored, for: target.resource.group).json, .created, warnings: warnings)
    }

    func replace(
        _ target: ResourcePath, _ query: Query, _ request: Request, isStatus: Bool
    ) async throws -> Response {
        guard let key = target.key else { throw APIError(.badRequest, "a name is missing") }
        var (object, warnings) = try checked(try await BodyReader.document(request), key.type, target, query)
        if key.type.isNamespaced { object.namespace = key.namespace }
        guard object.name == key.name else {
            throw Self.otherName(object, key)
        }
        if let uid = object.uid, !uid.isEmpty, let present = store.get(key)?.uid, uid != present {
            throw APIError.precondition(key, "UID", wanted: uid, present: present)
        }
        if key.type == .endpoints { warnings.append(Self.endpointsWarning) }
        Self.convertSecret(&object)
        let isDryRun = try query.isDryRun()
        let updater = updater(query, request, of: key.type, subresource: target.subresource)
        // Without a version the last one to write wins, whoever has written meanwhile.
        for attempt in 1...5 {
            var new = object
            if let current = store.get(key), current.hasOwners || object.hasOwners {
                new = withOwners(object, from: current, by: updater)
                new.resourceVersion = object.resourceVersion ?? current.resourceVersion
            }
            do throws(APIError) {
                let stored =
                    isStatus
                    ? try store.updateStatus(new, isDryRun: isDryRun) : try store.update(new, isDryRun: isDryRun)
                return Self.json(EventShape.shaped(stored, for: target.resource.group).json, warnings: warnings)
            } catch {
                if error.reason != .conflict || object.resourceVersion != nil || attempt == 5 { throw error }
            }
        }
        throw APIError.conflict(key)
    }

    func patch(_ target: ResourcePath, _ query: Query, _ request: Request, isStatus: Bool) async throws -> Response {
        guard let key = target.key else { throw APIError(.badRequest, "a name is missing") }
        let media = BodyReader.mediaType(request)
        let bytes = try await BodyReader.bytes(request)
        if media == "application/apply-patch+yaml" {
            return try apply(try BodyReader.yaml(bytes), to: key, target, query, isStatus: isStatus)
        }
        if query["force"] != nil {
            throw Self.invalidOptions(.forbidden("force", "may not be specified for non-apply patch"))
        }
        let patch = try BodyReader.document(bytes)
        let updater = updater(query, request, of: key.type, subresource: target.subresource)
        let isDryRun = try query.isDryRun()
        // Somebody else may write at the same time; then the patch is applied to what they have written.
        for attempt in 1...5 {
            guard let current = store.get(key) else { throw APIError.notFound(key) }
            let present = EventShape.shaped(current, for: target.resource.group).json
            let patched = try Self.patched(patch.json, media, to: present)
            var (object, warnings) = try checked(
                BodyReader.Document(json: patched, duplicates: patch.duplicates), key.type, target, query,
                patch: Self.shown(patch.json, patched, media))
            guard object.name == key.name, object.namespace == key.namespace else {
                throw Self.otherName(object, key)
            }
            // A patch that sets a version wants that one to be there.
            let wanted = object.resourceVersion == current.resourceVersion ? nil : object.resourceVersion
            object.resourceVersion = wanted ?? current.resourceVersion
            object = withOwners(object, from: current, by: updater)
            if key.type == .endpoints { warnings.append(Self.endpointsWarning) }
            Self.convertSecret(&object)
            do throws(APIError) {
                let stored =
                    isStatus
                    ? try store.updateStatus(object, isDryRun: isDryRun)
                    : try store.update(object, isDryRun: isDryRun)
                return Self.json(EventShape.shaped(stored, for: target.resource.group).json, warnings: warnings)
            } catch {
                if error.reason != .conflict || wanted != nil || attempt == 5 { throw error }
            }
        }
        throw APIError.conflict(key)
    }

    func delete(_ target: ResourcePath, _ query: Query, _ request: Request) async throws -> Response {
        guard let key = target.key else { throw APIError(.badRequest, "a name is missing") }
        let options = try await deleteOptions(query, request)
        guard let current = store.get(key) else { throw APIError.notFound(key) }
        try Self.check(options, current)
        let gone =
            options.isDryRun
            ? current
            : try store.delete(
                key, gracePeriod: options.grace, uid: options.uid, propagation: options.propagation)
        switch key.type {
        case .pods, .services, .serviceaccounts, .namespaces: return Self.json(gone.json)
        // What waits for its finalizers is there still.
        default:
            return Self.json(gone.deletionTimestamp == nil ? StatusDocument.success(key, uid: gone.uid) : gone.json)
        }
    }

    /// `kubectl drain` deletes pods this way: unless a budget of disruptions says that too few would be left.
    func evict(_ key: ObjectKey, _ query: Query, _ request: Request) async throws -> Response {
        let body = try await BodyReader.object(request)
        guard body["kind"]?.stringValue ?? "Eviction" == "Eviction" else {
            throw APIError(.badRequest, "\(body["kind"]?.stringValue ?? "") cannot be handled as an Eviction")
        }
        let options = try deleteOptions(body["deleteOptions"] ?? [:], query)
        guard let pod = store.get(key) else { throw APIError.notFound(key) }
        try Self.check(options, pod)
        try EvictionGrant.take(for: pod, in: store, isDryRun: options.isDryRun, now: now())
        if !options.isDryRun {
            _ = try store.delete(
                key, gracePeriod: options.grace, uid: options.uid, propagation: options.propagation)
        }
        return Self.json(
            ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201], .created)
    }

    func deleteCollection(
        _ type: ResourceType, _ target: ResourcePath, _ query: Query, _ request: Request
    ) async throws -> Response {
        guard target.resource.verbs.contains("deletecollection") else {
            throw APIError(.methodNotAllowed, "deletecollection is not supported on \(target.resource.name)")
        }
        let selection = try Selection(target, type: type, query)
        let options = try await deleteOptions(query, request)
        let (all, revision) = store.list(type, namespace: selection.namespace.isEmpty ? nil : selection.namespace)
        var gone: [JSONValue] = []
        for object in all where selection.matches(object) {
            if options.isDryRun {
                gone.append(object.json)
                continue
            }
            do throws(APIError) {
                gone.append(
                    try store.delete(object.key, gracePeriod: options.grace, propagation: options.propagation).json)
            } catch {
                if error.reason != .notFound { throw error }
            }
        }
        return Self.json([
            "kind": .string("\(type.kind)List"), "apiVersion": .string(type.apiVersion),
            "metadata": ["resourceVersion": .string("\(revision)")], "items": .array(gone),
        ])
    }

    // MARK: Helpers of writes

    private static func otherName(_ object: KubeObject, _ key: ObjectKey) -> APIError {
        object.name == key.name
            ? APIError(
                .badRequest,
                "the namespace of the object (\(object.namespace)) does not match the namespace on the URL (\(key.namespace))"
            )
            : APIError(
                .badRequest, "the name of the object (\(object.name)) does not match the name on the URL (\(key.name))")
    }

    static var endpointsWarning: String {
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    }

    private static func check(_ options: DeleteOptions, _ object: KubeObject) throws(APIError) {
        let key = object.key
        if let uid = options.uid, uid != object.uid {
            throw .precondition(key, "UID", wanted: uid, present: object.uid ?? "")
        }
        if let version = options.version, version != object.resourceVersion {
            throw .precondition(key, "ResourceVersion", wanted: version, present: object.resourceVersion ?? "")
        }
    }

    private struct DeleteOptions {
        var grace: Int?
        var uid: String?
        var version: String?
        var propagation: DeletionPropagation?
        var isDryRun: Bool
    }

    private func deleteOptions(_ query: Query, _ request: Request) async throws -> DeleteOptions {
        let body = try await BodyReader.optionalObject(request) ?? [:]
        return try deleteOptions(body, query)
    }

    private func deleteOptions(_ body: JSONValue, _ query: Query) throws(APIError) -> DeleteOptions {
        let isDryRun = try query.isDryRun() || (body["dryRun"]?.arrayValue ?? []).contains("All")
        var propagation: DeletionPropagation?
        if let name = query["propagationPolicy"] ?? body["propagationPolicy"]?.stringValue {
            guard let known = DeletionPropagation(rawValue: name) else {
                throw Self.invalidDeleteOptions(
                    .unsupported("propagationPolicy", name, supported: ["Foreground", "Background", "Orphan", "nil"]))
            }
            if body["orphanDependents"]?.boolValue != nil {
                throw Self.invalidDeleteOptions(
                    .invalid(
                        "propagationPolicy", name, "orphanDependents and deletionPropagation cannot be both set"))
            }
            propagation = known
        } else if let orphans = body["orphanDependents"]?.boolValue {
            propagation = orphans ? .orphan : .background
        }
        return DeleteOptions(
            grace: try query.number("gracePeriodSeconds") ?? body["gracePeriodSeconds"]?.intValue,
            uid: body["preconditions"]?["uid"]?.stringValue,
            version: body["preconditions"]?["resourceVersion"]?.stringValue, propagation: propagation,
            isDryRun: isDryRun)
    }

    private static func invalidDeleteOptions(_ error: FieldError) -> APIError {
        APIError(.invalid, "DeleteOptions.meta.k8s.io \"\" is invalid: \(error)", causes: [error])
    }

    /// The object of a body, of the right kind, with its unknown fields dealt with as the client wants it.
    ///
    /// - Parameter patch: what is at fault where the object is the outcome of a patch.
    func checked(
        _ document: BodyReader.Document, _ type: ResourceType, _ target: ResourcePath, _ query: Query,
        patch: @autoclosure () -> String? = nil
    ) throws(APIError) -> (object: KubeObject, warnings: [String]) {
        guard document.json.objectValue != nil else { throw APIError(.badRequest, "the body is no object") }
        let validation = query["fieldValidation"] ?? ""
        if !validation.isEmpty, !["Ignore", "Strict", "Warn"].contains(validation) {
            throw Self.invalidValidation(validation, isPatch: patch() != nil)
        }
        var object = EventShape.stored(KubeObject(document.json), from: target.resource.group)
        if object.kind.isEmpty { object.json["kind"] = .string(type.kind) }
        if object.apiVersion.isEmpty { object.json["apiVersion"] = .string(type.apiVersion) }
        guard object.type == type else {
            throw APIError(
                .badRequest,
                "\(object.kind) in version \"\(object.apiVersion)\" cannot be handled as a \(type.kind): the kind of "
                    + "the object does not match the URL's")
        }
        if type.isNamespaced, !object.namespace.isEmpty, !target.namespace.isEmpty,
            object.namespace != target.namespace
        {
            throw APIError(
                .badRequest,
                "the namespace of the provided object does not match the namespace sent on the request")
        }
        func refusal(_ problem: String) -> APIError {
            guard let text = patch() else {
                return APIError(
                    .badRequest, "\(type.kind) in version \"v1\" cannot be handled as a \(type.kind): \(problem)")
            }
            let error = FieldError.invalid("patch", text, problem)
            return APIError(.invalid, " \"\" is invalid: \(error)", causes: [error])
        }
        let unknown: [String]
        do throws(StrictFields.WrongType) {
            unknown = try StrictFields.unknown(in: object)
        } catch {
            throw refusal(error.description)
        }
        if let problem = SettingsEncoding.problem(in: object) { throw refusal(problem) }
        if unknown.isEmpty, document.duplicates.isEmpty { return (object, []) }
        let list =
            document.duplicates.map { "duplicate field \"\($0)\"" } + unknown.map { "unknown field \"\($0)\"" }
        if validation == "Strict" { throw refusal("strict decoding error: \(list.joined(separator: ", "))") }
        let cleaned = StrictFields.removing(unknown, from: object)
        return (cleaned, validation == "Ignore" ? [] : list)
    }

    private static func invalidValidation(_ value: String, isPatch: Bool) -> APIError {
        let error = FieldError.unsupported("fieldValidation", value, supported: ["", "Ignore", "Strict", "Warn"])
        return APIError(
            .invalid, "\(isPatch ? "Patch" : "Create")Options.meta.k8s.io \"\" is invalid: \(error)", causes: [error])
    }

    /// What an API server shows of a patch whose outcome cannot be: of a strategic one the patch itself, of others the outcome.
    private static func shown(_ patch: JSONValue, _ patched: JSONValue, _ media: String) -> String {
        media == "application/strategic-merge-patch+json" ? GoFormat.text(patch) : patched.serializedText()
    }

    /// `current` after a patch of one of the three kinds.
    static func patched(_ patch: JSONValue, _ media: String, to current: JSONValue) throws -> JSONValue {
        do {
            switch media {
            case "application/json-patch+json": return try JSONPatch.apply(patch, to: current)
            case "application/merge-patch+json": return MergePatch.apply(patch, to: current)
            case "application/strategic-merge-patch+json": return try StrategicMergePatch.apply(patch, to: current)
            default: throw BodyFailure.unsupported(media)
            }
        } catch is JSONPatch.Failure {
            throw BodyFailure.inapplicable
        } catch let failure as StrategicMergePatch.Failure {
            throw APIError(.badRequest, "the patch cannot be applied: \(failure)")
        }
    }

    /// Gives a Secret its type where it has none, and its texts the form that is kept.
    static func convertSecret(_ object: inout KubeObject) {
        guard object.type == .secrets else { return }
        if object.json["type"] == nil { object.json["type"] = "Opaque" }
        convertTexts(ofSecret: &object)
    }

    /// `stringData` is written only: it becomes `data`.
    static func convertTexts(ofSecret object: inout KubeObject) {
        guard object.type == .secrets, let texts = object.json["stringData"]?.stringMap else { return }
        var data = object.json["data"]?.objectValue ?? [:]
        for (key, text) in texts { data[key] = .string(Base64.text(text.utf8)) }
        object.json["data"] = .object(data)
        object.json["stringData"] = nil
    }
}
