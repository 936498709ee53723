import ClusterModel
import ClusterStore
import HTTPTypes
import HummingbirdCore

/// The size of Deployments and ReplicaSets as a resource of its own (kubectl-wire 10).
extension APIResponder {
    func scale(_ target: ResourcePath, _ query: Query, _ request: Request) async throws -> Response {
        guard let key = target.key else { throw APIError(.badRequest, "a name is missing") }
        let media = BodyReader.mediaType(request)
        let patch: JSONValue
        switch request.method {
        case .get:
            guard let object = store.get(key) else { throw APIError.notFound(key) }
            return Self.json(Self.document(object))
        case .put: patch = try await BodyReader.object(request)
        case .patch: patch = try BodyReader.json(try await BodyReader.bytes(request))
        default: throw APIError(.methodNotAllowed, "a scale can be read, replaced and patched")
        }
        let isPatch = request.method == .patch
        let isDryRun = try query.isDryRun()
        let updater = updater(query, request, of: key.type, subresource: target.subresource)
        // Somebody else may write at the same time; then the size is that of what they have written.
        for attempt in 1...5 {
            guard let object = store.get(key) else { throw APIError.notFound(key) }
            let present = Self.document(object)
            let wanted = isPatch ? try Self.patched(patch, media, to: present) : patch
            var changed = object
            changed.json["spec"]?["replicas"] = JSONValue(try Self.replicas(of: wanted, named: key.name))
            let version = wanted["metadata"]?["resourceVersion"]?.stringValue
            if let version, !version.isEmpty { changed.resourceVersion = version }
            changed = withOwners(changed, from: object, by: updater)
            do throws(APIError) {
                return Self.json(Self.document(try store.update(changed, isDryRun: isDryRun)))
            } catch {
                let isTheirs = version != nil && version != object.resourceVersion || version != nil && !isPatch
                if error.reason != .conflict || isTheirs || attempt == 5 { throw error }
            }
        }
        throw APIError.conflict(key)
    }

    private static func replicas(of scale: JSONValue, named name: String) throws(APIError) -> Int {
        guard let json = scale["spec"]?["replicas"] else { return 0 }
        guard let replicas = json.intValue else { throw APIError(.badRequest, "spec.replicas must be a whole number") }
        guard replicas >= 0 else {
            let error = FieldError.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
            throw APIError(
                .invalid, "Scale.autoscaling \(FieldError.quoted(name)) is invalid: \(error)", causes: [error])
        }
        return replicas
    }

    private static func document(_ object: KubeObject) -> JSONValue {
        var metadata: JSONValue = ["name": .string(object.name), "namespace": .string(object.namespace)]
        metadata["uid"] = object.uid.map { .string($0) }
        metadata["resourceVersion"] = object.resourceVersion.map { .string($0) }
        metadata["creationTimestamp"] = object.creationTimestamp.map { .string($0) }
        let labels = object.json["spec"]?["selector"]?["matchLabels"]?.stringMap ?? [:]
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": ["replicas": object.json["spec"]?["replicas"] ?? 1],
            "status": [
                "replicas": object.json["status"]?["replicas"] ?? 0,
                "selector": .string(LabelSelector(equal: labels).description),
            ],
        ]
    }
}
