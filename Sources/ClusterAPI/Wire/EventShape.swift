import ClusterModel

/// Events have two shapes: the core one, in which they are kept, and the one of a group of its own (kubectl-wire 2).
enum EventShape {
    static let newGroup = "events.k8s.io"

    /// The object in the shape of `group`.
    static func shaped(_ object: KubeObject, for group: String) -> KubeObject {
        guard group == newGroup, object.type == .events else { return object }
        let old = object.json
        var new: JSONValue = ["apiVersion": "events.k8s.io/v1", "kind": "Event"]
        for key in ["metadata", "reason", "type", "action", "reportingInstance", "related", "eventTime"] {
            new[key] = old[key]
        }
        new["regarding"] = old["involvedObject"]
        new["note"] = old["message"]
        new["reportingController"] = old["reportingComponent"]
        new["deprecatedCount"] = old["count"]
        new["deprecatedFirstTimestamp"] = old["firstTimestamp"]
        new["deprecatedLastTimestamp"] = old["lastTimestamp"]
        new["deprecatedSource"] = old["source"]
        new["series"] = old["series"]
        return KubeObject(new)
    }

    /// Members by their names in the new shape, where the old one has another name.
    private static let oldNames = [
        "regarding": "involvedObject", "note": "message", "reportingController": "reportingComponent",
        "deprecatedCount": "count", "deprecatedFirstTimestamp": "firstTimestamp",
        "deprecatedLastTimestamp": "lastTimestamp", "deprecatedSource": "source",
    ]

    /// An object that came in the shape of `group`, as it is kept.
    static func stored(_ object: KubeObject, from group: String) -> KubeObject {
        guard group == newGroup, case .object(let members) = object.json,
            object.kind.isEmpty || object.kind == ResourceType.events.kind,
            object.apiVersion.isEmpty || object.apiVersion == "\(newGroup)/v1"
        else { return object }
        var old: [String: JSONValue] = [:]
        for (key, value) in members { old[oldNames[key] ?? key] = value }
        old["apiVersion"] = .string(ResourceType.events.apiVersion)
        old["kind"] = .string(ResourceType.events.kind)
        return KubeObject(.object(old))
    }
}
