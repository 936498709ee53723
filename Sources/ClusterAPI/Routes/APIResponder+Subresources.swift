import ClusterModel
import ClusterStore
import HTTPTypes
import HummingbirdCore

/// What a scheduler and a namespace's controller write.
extension APIResponder {
    /// Gives a pod its node, for schedulers of others' making.
    func bind(_ key: ObjectKey, _ query: Query, _ request: Request) async throws -> Response {
        let body = try await BodyReader.object(request)
        let target = body["target"]?["name"]?.stringValue ?? ""
        guard !target.isEmpty else {
            let error = FieldError.required("target.name")
            throw APIError(.invalid, "Binding \"\(key.name)\" is invalid: \(error)", causes: [error])
        }
        guard let pod = store.get(key) else { throw APIError.notFound(key) }
        var refusal: APIError?
        if try !query.isDryRun() {
            _ = try store.modify(key) { present in
                if let problem = Self.bindingProblem(present) {
                    refusal = APIError(
                        .conflict, "Operation cannot be fulfilled on pods/binding \"\(key.name)\": \(problem)")
                    return
                }
                present.json["spec"]?["nodeName"] = .string(target)
                for (name, text) in body["metadata"]?["annotations"]?.stringMap ?? [:] {
                    present.annotations[name] = text
                }
            }
        } else if let problem = Self.bindingProblem(pod) {
            refusal = APIError(
                .conflict, "Operation cannot be fulfilled on pods/binding \"\(key.name)\": \(problem)")
        }
        if let refusal { throw refusal }
        return Self.json(
            ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201], .created)
    }

    private static func bindingProblem(_ pod: KubeObject) -> String? {
        if pod.deletionTimestamp != nil { return "pod \(pod.name) is being deleted, cannot be assigned to a host" }
        if let node = pod.json["spec"]?["nodeName"]?.stringValue, !node.isEmpty {
            return "pod \(pod.name) is already assigned to node \(FieldError.quoted(node))"
        }
        if pod.json["spec"]?["schedulingGates"]?.arrayValue?.isEmpty == false {
            return "pod \(pod.name) has non-empty .spec.schedulingGates"
        }
        return nil
    }

    /// Replaces what a namespace waits for before it goes.
    func finalize(
        _ key: ObjectKey, _ target: ResourcePath, _ query: Query, _ request: Request
    ) async throws -> Response {
        let (object, warnings) = try checked(try await BodyReader.document(request), key.type, target, query)
        guard object.name == key.name else {
            throw APIError(
                .badRequest, "the name of the object (\(object.name)) does not match the name on the URL (\(key.name))")
        }
        return Self.json(
            try store.finalize(object, isDryRun: try query.isDryRun()).json, warnings: warnings)
    }
}
