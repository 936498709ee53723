import ClusterModel

/// What the store itself sees to in namespaces (semantics 1.6).
enum NamespaceRules {
    /// Keeps a namespace until nothing is in it.
    static let ownFinalizer = "kubernetes"

    /// What has to be done before a namespace can go, besides what its metadata says.
    static func awaited(by namespace: KubeObject) -> [String] {
        (namespace.json["spec"]?["finalizers"]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    /// Gives a namespace what every one has.
    static func complete(_ namespace: inout KubeObject) {
        namespace.labels["kubernetes.io/metadata.name"] = namespace.name
        if namespace.json["status"]?["phase"] == nil { namespace.json["status"] = ["phase": "Active"] }
        if namespace.json["spec"]?["finalizers"] == nil {
            namespace.json["spec"] = ["finalizers": namespace.deletionTimestamp == nil ? [.string(ownFinalizer)] : []]
        }
    }
}

extension StoreState {
    /// Refuses an object whose namespace is missing or ending.
    func checkNamespace(of object: KubeObject, _ type: ResourceType) throws(APIError) {
        guard type.isNamespaced else { return }
        let key = ObjectKey(.namespaces, name: object.namespace)
        guard let namespace = objects[.namespaces]?[key] else { throw .notFound(key) }
        if namespace.json["status"]?["phase"]?.stringValue == "Terminating" {
            var refusal = APIError(
                .forbidden,
                "\(type.qualifiedName) \"\(object.name)\" is forbidden: unable to create new content in namespace "
                    + "\(object.namespace) because it is being terminated")
            refusal.otherCauses = [
                APIError.Cause(
                    reason: "NamespaceTerminating", message: "namespace \(object.namespace) is being terminated",
                    field: "metadata.namespace")
            ]
            refusal.objectName = object.name
            throw refusal
        }
    }

    /// The namespace as it is while its content is being removed; nil when it is empty and can go.
    ///
    /// - Throws: ``APIError`` for one that may not be deleted.
    func ending(namespace: KubeObject, at time: String) throws(APIError) -> KubeObject? {
        if Namespace.builtIn.contains(namespace.name) {
            throw APIError(
                .forbidden, "namespaces \"\(namespace.name)\" is forbidden: this namespace may not be deleted")
        }
        let isEmpty = objects.allSatisfy { type, objects in
            !type.isNamespaced || !objects.keys.contains { $0.namespace == namespace.name }
        }
        let rest = NamespaceRules.awaited(by: namespace).filter { $0 != NamespaceRules.ownFinalizer }
        if isEmpty, namespace.finalizers.isEmpty, rest.isEmpty { return nil }
        var ending = namespace
        if ending.deletionTimestamp == nil { ending.deletionTimestamp = time }
        ending.json["status"]?["phase"] = "Terminating"
        if isEmpty { ending.json["spec"] = ["finalizers": .array(rest.map { .string($0) })] }
        return ending
    }
}
