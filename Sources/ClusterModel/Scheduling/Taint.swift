/// What keeps pods off a node unless they tolerate it.
package struct Taint: Hashable, Sendable {
    package enum Effect: String, CaseIterable, Hashable, Sendable {
        /// Pods that are there stay.
        case noSchedule = "NoSchedule"
        /// Taken only when no other node suits.
        case preferNoSchedule = "PreferNoSchedule"
        /// Pods that are there have to go.
        case noExecute = "NoExecute"
    }

    package let key: String
    package let value: String
    package let effect: Effect

    package init(key: String, value: String = "", effect: Effect) {
        self.key = key
        self.value = value
        self.effect = effect
    }

    /// nil without a known effect.
    package init?(_ json: JSONValue) {
        guard let effect = json["effect"]?.stringValue.flatMap(Effect.init) else { return nil }
        self.init(key: json["key"]?.stringValue ?? "", value: json["value"]?.stringValue ?? "", effect: effect)
    }

    /// The key that a pod has to tolerate to be put on a node that is cordoned.
    package static let unschedulable = "node.kubernetes.io/unschedulable"
    /// The key that a node counts as having while it is not ready.
    package static let notReady = "node.kubernetes.io/not-ready"
}

/// Lets a pod onto nodes with some taints.
package struct Toleration: Hashable, Sendable {
    /// nil for all keys.
    let key: String?
    /// nil for all values.
    let value: String?
    /// nil for all effects.
    let effect: Taint.Effect?
    /// How long a pod may stay on a node that gets a `NoExecute` taint; nil for ever.
    package let seconds: Int?

    package init(_ json: JSONValue) {
        key = json["key"]?.stringValue?.nilIfEmpty
        value = json["operator"]?.stringValue == "Exists" ? nil : json["value"]?.stringValue ?? ""
        effect = json["effect"]?.stringValue.flatMap(Taint.Effect.init)
        seconds = json["tolerationSeconds"]?.intValue
    }

    /// The tolerations of a pod's `spec`.
    package static func list(in spec: JSONValue?) -> [Toleration] {
        (spec?["tolerations"]?.arrayValue ?? []).map(Toleration.init)
    }

    package func tolerates(_ taint: Taint) -> Bool {
        (effect == nil || effect == taint.effect) && (key == nil || key == taint.key)
            && (value == nil || value == taint.value)
    }
}
