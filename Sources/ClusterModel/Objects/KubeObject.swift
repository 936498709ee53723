/// A Kubernetes object: JSON, with short ways to what all kinds have.
package struct KubeObject: Hashable, Sendable {
    /// Always a JSON object.
    package var json: JSONValue

    package init(_ json: JSONValue) { self.json = json }

    /// An object with nothing but its names.
    package init(_ type: ResourceType, namespace: String = "", name: String) {
        json = [
            "apiVersion": .string(type.apiVersion), "kind": .string(type.kind), "metadata": ["name": .string(name)],
        ]
        if type.isNamespaced { json["metadata"]?["namespace"] = .string(namespace) }
    }

    /// The part of the object that its controller writes.
    package var status: JSONValue? { json["status"] }

    package var apiVersion: String { json["apiVersion"]?.stringValue ?? "" }
    package var kind: String { json["kind"]?.stringValue ?? "" }
    /// nil for a kind that the store does not keep.
    package var type: ResourceType? { ResourceType(apiVersion: apiVersion, kind: kind) }

    package var name: String {
        get { metadata("name") ?? "" }
        set { setMetadata("name", newValue) }
    }
    /// Empty for kinds without a namespace.
    package var namespace: String {
        get { metadata("namespace") ?? "" }
        set { setMetadata("namespace", newValue) }
    }
    package var generateName: String? { metadata("generateName") }
    package var uid: String? {
        get { metadata("uid") }
        set { setMetadata("uid", newValue) }
    }
    package var resourceVersion: String? {
        get { metadata("resourceVersion") }
        set { setMetadata("resourceVersion", newValue) }
    }
    package var creationTimestamp: String? {
        get { metadata("creationTimestamp") }
        set { setMetadata("creationTimestamp", newValue) }
    }
    package var deletionTimestamp: String? {
        get { metadata("deletionTimestamp") }
        set { setMetadata("deletionTimestamp", newValue) }
    }
    package var labels: [String: String] {
        get { json["metadata"]?["labels"]?.stringMap ?? [:] }
        set { setMap("labels", newValue) }
    }
    package var annotations: [String: String] {
        get { json["metadata"]?["annotations"]?.stringMap ?? [:] }
        set { setMap("annotations", newValue) }
    }

    /// The object's place in the store.
    ///
    /// For a kind that is not kept the type is of no meaning: check ``type`` first.
    package var key: ObjectKey { ObjectKey(type ?? .configmaps, namespace: namespace, name: name) }

    private func metadata(_ key: String) -> String? { json["metadata"]?[key]?.stringValue }

    private mutating func setMetadata(_ key: String, _ value: String?) {
        var metadata = json["metadata"] ?? [:]
        metadata[key] = value.map(JSONValue.string)
        json["metadata"] = metadata
    }

    private mutating func setMap(_ key: String, _ value: [String: String]) {
        var metadata = json["metadata"] ?? [:]
        metadata[key] = value.isEmpty ? nil : JSONValue(value)
        json["metadata"] = metadata
    }
}

extension KubeObject {
    /// The objects that this one belongs to; it goes when they are gone (1.5).
    package var ownerReferences: [OwnerReference] {
        get { (json["metadata"]?["ownerReferences"]?.arrayValue ?? []).compactMap(OwnerReference.init) }
        set {
            var metadata = json["metadata"] ?? [:]
            metadata["ownerReferences"] = newValue.isEmpty ? nil : .array(newValue.map(\.json))
            json["metadata"] = metadata
        }
    }

    /// What others have to do before the object can go.
    package var finalizers: [String] {
        get { (json["metadata"]?["finalizers"]?.arrayValue ?? []).compactMap(\.stringValue) }
        set {
            var metadata = json["metadata"] ?? [:]
            metadata["finalizers"] = newValue.isEmpty ? nil : .array(newValue.map { .string($0) })
            json["metadata"] = metadata
        }
    }

    /// Seconds that a deletion leaves the object; nil unless it is being deleted.
    package var deletionGracePeriodSeconds: Int? {
        get { json["metadata"]?["deletionGracePeriodSeconds"]?.intValue }
        set {
            var metadata = json["metadata"] ?? [:]
            metadata["deletionGracePeriodSeconds"] = newValue.map { JSONValue($0) }
            json["metadata"] = metadata
        }
    }

    /// Counts the changes of kinds that have it, from 1; nil for the others (1.3).
    package var generation: Int? {
        get { json["metadata"]?["generation"]?.intValue }
        set {
            var metadata = json["metadata"] ?? [:]
            metadata["generation"] = newValue.map { JSONValue($0) }
            json["metadata"] = metadata
        }
    }
}
