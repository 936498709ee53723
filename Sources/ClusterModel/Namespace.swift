/// A Namespace, read once from its JSON object.
package struct Namespace: Sendable, Hashable {
    /// Those that exist always (1.6).
    package static let builtIn = ["default", "kube-node-lease", "kube-public", "kube-system"]

    package let name: String
    package let labels: [String: String]
    /// Being deleted: nothing can be created in it.
    package let isTerminating: Bool

    package init(_ object: KubeObject) {
        name = object.name
        labels = object.labels
        isTerminating = object.deletionTimestamp != nil || object.json["status"]?["phase"]?.stringValue == "Terminating"
    }
}
