import ClusterModel
import ClusterStore
import Hummingbird

/// The size of Deployments and ReplicaSets as a resource of its own (kubectl-wire 10).
extension APIResponder {
    func scale(_ target: ResourcePath, _ query: Query, _ request: Request) async throws -> Response {
        guard let key = target.key else { throw APIError(.badRequest, "a name is missing") }
        guard let object = store.get(key) else { throw APIError.notFound(key) }
        let present = Self.document(object)
        let wanted: JSONValue
        switch request.method {
        case .get: return Self.json(present)
        case .put: wanted = try await BodyReader.object(request)
        case .patch: wanted = MergePatch.apply(try BodyReader.json(try await BodyReader.bytes(request)), to: present)
        default: throw APIError(.methodNotAllowed, "a scale can be read, replaced and patched")
        }
        guard let replicas = wanted["spec"]?["replicas"]?.intValue ?? (wanted["spec"]?["replicas"] == nil ? 0 : nil)
        else {
            throw APIError(.badRequest, "spec.replicas must be a whole number")
        }
        var changed = object
        changed.json["spec"]?["replicas"] = JSONValue(replicas)
        if let version = wanted["metadata"]?["resourceVersion"]?.stringValue { changed.resourceVersion = version }
        changed = withOwners(
            changed, from: object, by: updater(query, request, of: key.type, subresource: target.subresource))
        let stored = try store.update(changed, isDryRun: try query.isDryRun())
        return Self.json(Self.document(stored))
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
