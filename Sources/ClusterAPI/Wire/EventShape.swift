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
        return KubeObject(new)
    }
}
