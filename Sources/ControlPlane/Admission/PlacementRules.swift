import ClusterModel

/// The rules for what a pod says about nodes: selector, affinity, tolerations.
enum PlacementRules {
    static func errors(of spec: JSONValue) -> [FieldError] {
        var errors: [FieldError] = []
        for (key, value) in (spec["nodeSelector"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
            errors += FieldError.invalid("spec.nodeSelector", key, problems: NameRules.qualifiedName(key))
            let text = value.stringValue ?? ""
            errors += FieldError.invalid("spec.nodeSelector", text, problems: NameRules.labelValue(text))
        }
        errors += affinityErrors(spec["affinity"]?["nodeAffinity"], at: "spec.affinity.nodeAffinity")
        for (index, toleration) in (spec["tolerations"]?.arrayValue ?? []).enumerated() {
            errors += Self.errors(ofToleration: toleration, at: "spec.tolerations[\(index)]")
        }
        return errors
    }

    // MARK: Affinity

    private static func affinityErrors(_ affinity: JSONValue?, at path: String) -> [FieldError] {
        var errors: [FieldError] = []
        if let required = affinity?["requiredDuringSchedulingIgnoredDuringExecution"] {
            let place = "\(path).requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
            let terms = required["nodeSelectorTerms"]?.arrayValue ?? []
            if terms.isEmpty { errors.append(.required(place, "must have at least one node selector term")) }
            for (index, term) in terms.enumerated() { errors += termErrors(term, at: "\(place)[\(index)]") }
        }
        let preferences = affinity?["preferredDuringSchedulingIgnoredDuringExecution"]?.arrayValue ?? []
        for (index, preference) in preferences.enumerated() {
            let place = "\(path).preferredDuringSchedulingIgnoredDuringExecution[\(index)]"
            let weight = preference["weight"]?.intValue ?? 0
            if !(1...100).contains(weight) {
                errors.append(.invalid("\(place).weight", weight, "must be in the range 1-100"))
            }
            errors += termErrors(preference["preference"] ?? [:], at: "\(place).preference")
        }
        return errors
    }

    private static func termErrors(_ term: JSONValue, at path: String) -> [FieldError] {
        ["matchExpressions", "matchFields"].flatMap { list in
            (term[list]?.arrayValue ?? []).enumerated().flatMap { index, requirement in
                requirementErrors(requirement, isField: list == "matchFields", at: "\(path).\(list)[\(index)]")
            }
        }
    }

    private static func requirementErrors(_ json: JSONValue, isField: Bool, at path: String) -> [FieldError] {
        let count = json["values"]?.arrayValue?.count ?? 0
        let comparison = json["operator"]?.stringValue ?? ""
        let key = json["key"]?.stringValue ?? ""
        if isField {
            guard comparison == "In" || comparison == "NotIn" else {
                return [.invalid("\(path).operator", comparison, "not a valid selector operator")]
            }
            var errors: [FieldError] = []
            if count != 1 {
                errors.append(
                    .required(
                        "\(path).values",
                        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
            }
            if key != "metadata.name" { errors.append(.invalid("\(path).key", key, "not a valid field selector key")) }
            return errors
        }
        var errors: [FieldError] = []
        switch comparison {
        case "In", "NotIn":
            if count == 0 {
                errors.append(
                    .required("\(path).values", "must be specified when `operator` is 'In' or 'NotIn'"))
            }
        case "Exists", "DoesNotExist":
            if count > 0 {
                errors.append(
                    .forbidden("\(path).values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
            }
        case "Gt", "Lt":
            if count != 1 {
                errors.append(
                    .required("\(path).values", "must be specified single value when `operator` is 'Lt' or 'Gt'"))
            }
        default: errors.append(.invalid("\(path).operator", comparison, "not a valid selector operator"))
        }
        return errors + FieldError.invalid("\(path).key", key, problems: NameRules.qualifiedName(key))
    }

    // MARK: Tolerations

    private static func errors(ofToleration json: JSONValue, at path: String) -> [FieldError] {
        var errors: [FieldError] = []
        let key = json["key"]?.stringValue ?? ""
        let comparison = json["operator"]?.stringValue ?? ""
        let value = json["value"]?.stringValue ?? ""
        let effect = json["effect"]?.stringValue ?? ""
        if !key.isEmpty {
            errors += FieldError.invalid("\(path).key", key, problems: NameRules.qualifiedName(key))
        } else if comparison != "Exists" {
            errors.append(
                .invalid(
                    "\(path).operator", comparison,
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\""))
        }
        if json["tolerationSeconds"]?.intValue != nil, effect != Taint.Effect.noExecute.rawValue {
            errors.append(
                .invalid("\(path).effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
        }
        switch comparison {
        case "", "Equal": errors += FieldError.invalid("\(path).operator", value, problems: NameRules.labelValue(value))
        case "Exists":
            if !value.isEmpty {
                errors.append(.invalid("\(path).operator", value, "value must be empty when `operator` is 'Exists'"))
            }
        default: errors.append(.unsupported("\(path).operator", comparison, supported: ["Equal", "Exists"]))
        }
        if !effect.isEmpty, Taint.Effect(rawValue: effect) == nil {
            errors.append(
                .unsupported("\(path).effect", effect, supported: Taint.Effect.allCases.map(\.rawValue)))
        }
        return errors
    }
}
