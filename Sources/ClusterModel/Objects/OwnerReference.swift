/// Says that an object belongs to another and goes when that goes (1.5).
package struct OwnerReference: Hashable, Sendable {
    package let apiVersion: String
    package let kind: String
    package let name: String
    package let uid: String
    package let isController: Bool
    package var blocksOwnerDeletion: Bool

    /// A controlling reference to `owner`, as endpoint slices carry it.
    package init(controller owner: KubeObject) {
        apiVersion = owner.apiVersion
        kind = owner.kind
        name = owner.name
        uid = owner.uid ?? ""
        isController = true
        blocksOwnerDeletion = true
    }

    /// nil when a required field is missing.
    package init?(_ json: JSONValue) {
        guard let apiVersion = json["apiVersion"]?.stringValue, let kind = json["kind"]?.stringValue,
            let name = json["name"]?.stringValue, let uid = json["uid"]?.stringValue
        else { return nil }
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
        isController = json["controller"]?.boolValue ?? false
        blocksOwnerDeletion = json["blockOwnerDeletion"]?.boolValue ?? false
    }

    package var json: JSONValue {
        var json: JSONValue = [
            "apiVersion": .string(apiVersion), "kind": .string(kind), "name": .string(name), "uid": .string(uid),
        ]
        if isController { json["controller"] = true }
        if blocksOwnerDeletion { json["blockOwnerDeletion"] = true }
        return json
    }
}
