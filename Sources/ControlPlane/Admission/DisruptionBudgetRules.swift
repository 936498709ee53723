import ClusterModel

/// The rules for a PodDisruptionBudget, in the API server's words.
enum DisruptionBudgetRules {
    private static let policies = ["AlwaysAllow", "IfHealthyBudget"]

    static func errors(of object: KubeObject, old: KubeObject? = nil) -> [FieldError] {
        guard let spec = object.json["spec"], spec.objectValue != nil else { return [] }
        var errors: [FieldError] = []
        let given = ["minAvailable", "maxUnavailable"].filter { spec[$0] != nil && spec[$0] != .null }
        if given.count == 2 {
            errors.append(.invalid("spec", json: spec, "minAvailable and maxUnavailable cannot be both set"))
        }
        for key in given { errors += IntOrPercentRules.errors(spec[key], at: "spec.\(key)", most: 100) }
        if let policy = spec["unhealthyPodEvictionPolicy"]?.stringValue, !policies.contains(policy) {
            errors.append(.unsupported("spec.unhealthyPodEvictionPolicy", policy, supported: policies))
        }
        return errors + statusErrors(object.json["status"], old: old?.json["status"])
    }

    /// The status of a new budget, which allows nothing.
    static func begin(_ object: inout KubeObject) {
        guard object.json["status"] == nil else { return }
        object.json["status"] = ["currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0]
    }

    private static func statusErrors(_ status: JSONValue?, old: JSONValue?) -> [FieldError] {
        guard status != old else { return [] }
        return ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"].compactMap { key in
            guard let number = status?[key]?.intValue, number < 0 else { return nil }
            return .invalid("status.\(key)", number, "must be greater than or equal to 0")
        }
    }
}
