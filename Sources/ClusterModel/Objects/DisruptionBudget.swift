/// A PodDisruptionBudget: how many pods of a selection may be taken away at the same time.
package struct DisruptionBudget: Sendable {
    package let object: KubeObject
    /// nil selects nothing.
    private let selector: LabelSelector?

    package init(_ object: KubeObject) {
        self.object = object
        let json = object.json["spec"]?["selector"]
        // Unlike elsewhere an empty selector means every pod of the namespace.
        selector = json?.objectValue?.isEmpty == true ? LabelSelector(equal: [:]) : LabelSelector(json)
    }

    package func selects(_ pod: KubeObject) -> Bool {
        pod.namespace == object.namespace && (selector?.matches(pod.labels) ?? false)
    }

    /// A number in its status; 0 before it has one.
    package func count(_ key: String) -> Int { object.json["status"]?[key]?.intValue ?? 0 }

    /// Pods that may go now.
    package var disruptionsAllowed: Int { count("disruptionsAllowed") }
    package var currentHealthy: Int { count("currentHealthy") }
    package var desiredHealthy: Int { count("desiredHealthy") }

    /// The status is about what is wanted now.
    package var isObserved: Bool { count("observedGeneration") >= object.generation ?? 1 }

    /// Pods that were let go a moment ago and do not say so yet, with the time.
    package var disruptedPods: [String: JSONValue] { object.json["status"]?["disruptedPods"]?.objectValue ?? [:] }

    /// Whether pods that are not ready may always be taken away.
    package var letsUnhealthyGo: Bool {
        object.json["spec"]?["unhealthyPodEvictionPolicy"]?.stringValue == "AlwaysAllow"
    }
}
