import ClusterModel
import ClusterStore
import HTTPTypes
import HummingbirdCore

/// Server-side apply, and who owns what after other writes (kubectl-wire 9).
extension APIResponder {
    func apply(
        _ manifest: JSONValue, to key: ObjectKey, _ target: ResourcePath, _ query: Query, isStatus: Bool
    ) throws -> Response {
        guard let name = query["fieldManager"], !name.isEmpty else {
            throw Self.invalidOptions(.required("fieldManager", "is required for apply patch"))
        }
        if let owners = manifest["metadata"]?["managedFields"], owners != .null, owners != [] {
            throw APIError(.badRequest, "metadata.managedFields must be nil")
        }
        var (wanted, warnings) = try checked(BodyReader.Document(json: manifest), key.type, target, query)
        if wanted.name.isEmpty { wanted.name = key.name }
        if key.type.isNamespaced { wanted.namespace = key.namespace }
        guard wanted.name == key.name else {
            throw APIError(
                .badRequest, "the name of the object (\(wanted.name)) does not match the name on the URL (\(key.name))")
        }
        if key.type == .endpoints { warnings.append(Self.endpointsWarning) }
        Self.convertTexts(ofSecret: &wanted)
        let manager = FieldManager(
            name, .apply, apiVersion: wanted.apiVersion, subresource: target.subresource ?? "")
        let isDryRun = try query.isDryRun()
        // Somebody else may write at the same time; then the manifest is applied to what they have written.
        for attempt in 1...5 {
            let time = Timestamp.text(unixSeconds: now())
            do throws(APIError) {
                guard let current = store.get(key) else {
                    if isStatus { throw .notFound(key) }
                    var object = KubeObject(
                        try ownership(of: wanted) { () throws(FieldOwnership.Failure) in
                            try FieldOwnership.created(wanted.json, by: manager, at: time)
                        })
                    object.resourceVersion = nil
                    Self.convertSecret(&object)
                    return Self.json(
                        try store.create(object, isDryRun: isDryRun).json, .created, warnings: warnings)
                }
                var object = KubeObject(
                    try ownership(of: wanted) { () throws(FieldOwnership.Failure) in
                        try FieldOwnership.applied(
                            wanted.json, to: current.json, by: manager, force: query.flag("force"), at: time)
                    })
                object.resourceVersion = wanted.resourceVersion ?? current.resourceVersion
                let stored =
                    isStatus
                    ? try store.updateStatus(object, isDryRun: isDryRun)
                    : try store.update(object, isDryRun: isDryRun)
                return Self.json(stored.json, warnings: warnings)
            } catch {
                let isRace = error.reason == .conflict && error.fieldConflicts.isEmpty || error.reason == .alreadyExists
                if !isRace || wanted.resourceVersion != nil || attempt == 5 { throw error }
            }
        }
        throw APIError.conflict(key)
    }

    /// Puts what ownership refuses into an API server's words.
    private func ownership(
        of wanted: KubeObject, _ body: () throws(FieldOwnership.Failure) -> JSONValue
    ) throws(APIError) -> JSONValue {
        do throws(FieldOwnership.Failure) {
            return try body()
        } catch {
            switch error {
            case .conflicts(let conflicts):
                var refusal = APIError(.conflict, conflicts.message)
                refusal.fieldConflicts = conflicts.conflicts.map { .init(path: $0.path, owner: $0.manager.description) }
                throw refusal
            case .manifest(let reason):
                throw APIError(
                    .badRequest,
                    "failed to create typed patch object (\(wanted.namespace)/\(wanted.name); \(wanted.apiVersion), "
                        + "Kind=\(wanted.kind)): \(reason)")
            }
        }
    }

    /// Whoever writes otherwise than by a server-side apply: as they say, or by what program they are.
    func updater(_ query: Query, _ request: Request, of type: ResourceType, subresource: String?) -> FieldManager {
        let program = (request.headers[.userAgent] ?? "").prefix { $0 != "/" }.prefix(128)
        let name = query["fieldManager"].flatMap { $0.isEmpty ? nil : $0 } ?? String(program)
        return FieldManager(name, .update, apiVersion: type.apiVersion, subresource: subresource ?? "")
    }

    /// `object`, which is to replace `current`, with its owners after that; most objects have none.
    func withOwners(_ object: KubeObject, from current: KubeObject, by updater: FieldManager) -> KubeObject {
        guard object.hasOwners || current.hasOwners else { return object }
        return KubeObject(
            FieldOwnership.updated(
                object.json, from: current.json, by: updater, at: Timestamp.text(unixSeconds: now())))
    }

    static func invalidOptions(_ error: FieldError) -> APIError {
        APIError(.invalid, "PatchOptions.meta.k8s.io \"\" is invalid: \(error)", causes: [error])
    }
}

extension KubeObject {
    /// Somebody watches over who owns which field, or a client has written as if.
    var hasOwners: Bool { json["metadata"]?["managedFields"] != nil }
}
