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
        for key in given { errors += amountErrors(spec[key], at: "spec.\(key)") }
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

    private static func amountErrors(_ json: JSONValue?, at path: String) -> [FieldError] {
        switch IntOrString(json) {
        case .int(let number):
            return number < 0 ? [.invalid(path, number, "must be greater than or equal to 0")] : []
        case .string(let text):
            let digits = text.dropLast()
            guard text.hasSuffix("%"), !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
                return [
                    .invalid(
                        path, text,
                        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
                            + "regex used for validation is '[0-9]+%')")
                ]
            }
            return Int(digits) ?? 101 > 100 ? [.invalid(path, text, "must not be greater than 100%")] : []
        case nil: return [.invalid(path, json: json ?? .null, "must be an integer or percentage (e.g '5%%')")]
        }
    }
}
