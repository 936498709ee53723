import ClusterModel

/// Who writes: a name, and by which way.
package struct FieldManager: Hashable, Sendable {
    package enum Operation: String, Sendable {
        case apply = "Apply"
        case update = "Update"
    }

    package let name: String
    package let operation: Operation
    /// Of the object, as the manager writes it.
    package let apiVersion: String
    /// `status` or `scale`; empty for the object itself.
    package let subresource: String

    package init(_ name: String, _ operation: Operation, apiVersion: String, subresource: String = "") {
        self.name = name
        self.operation = operation
        self.apiVersion = apiVersion
        self.subresource = subresource
    }

    /// Whether both are the same owner; one who applies is the same in every version.
    package func isSame(as other: FieldManager) -> Bool {
        name == other.name && operation == other.operation && subresource == other.subresource
            && (operation == .apply || apiVersion == other.apiVersion)
    }

    /// As in messages about conflicts.
    package var description: String {
        var text = FieldError.quoted(name)
        if !subresource.isEmpty { text += " with subresource \(FieldError.quoted(subresource))" }
        if operation == .update { text += " using \(apiVersion)" }
        return text
    }
}

/// What one manager owns of an object: an entry of `metadata.managedFields`.
package struct ManagedFields: Hashable, Sendable {
    package let manager: FieldManager
    /// Of the last write that changed something; RFC 3339.
    package var time: String?
    package var fields: FieldSet

    package init(_ manager: FieldManager, time: String?, fields: FieldSet) {
        self.manager = manager
        self.time = time
        self.fields = fields
    }

    init?(_ json: JSONValue) {
        guard let operation = json["operation"]?.stringValue.flatMap(FieldManager.Operation.init),
            json["fieldsType"]?.stringValue ?? "FieldsV1" == "FieldsV1",
            let fields = FieldSet(fieldsV1: json["fieldsV1"] ?? [:])
        else { return nil }
        manager = FieldManager(
            json["manager"]?.stringValue ?? "", operation, apiVersion: json["apiVersion"]?.stringValue ?? "",
            subresource: json["subresource"]?.stringValue ?? "")
        time = json["time"]?.stringValue
        self.fields = fields
    }

    var json: JSONValue {
        var json: JSONValue = [
            "manager": .string(manager.name), "operation": .string(manager.operation.rawValue),
            "apiVersion": .string(manager.apiVersion), "fieldsType": "FieldsV1", "fieldsV1": fields.fieldsV1,
        ]
        json["time"] = time.map(JSONValue.string)
        if !manager.subresource.isEmpty { json["subresource"] = .string(manager.subresource) }
        return json
    }

    /// The entries of an object; nil when what it has cannot be read.
    static func read(_ json: JSONValue?) -> [ManagedFields]? {
        var entries: [ManagedFields] = []
        for item in json?.arrayValue ?? [] {
            guard let entry = ManagedFields(item) else { return nil }
            entries.append(entry)
        }
        return entries
    }

    /// The entries as an object carries them: who applies first, then by time and name; nil for none.
    static func list(_ entries: [ManagedFields]) -> JSONValue? {
        let sorted = entries.filter { !$0.fields.isEmpty }.sorted { left, right in
            let (one, other) = (left.manager, right.manager)
            return (one.operation.rawValue, left.time ?? "", one.name, one.apiVersion, one.subresource)
                < (other.operation.rawValue, right.time ?? "", other.name, other.apiVersion, other.subresource)
        }
        return sorted.isEmpty ? nil : .array(sorted.map(\.json))
    }
}
