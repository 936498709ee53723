import ClusterModel

/// The rules for a Node: what users can set on it, its taints.
enum NodeRules {
    static func errors(of node: KubeObject) -> [FieldError] {
        var seen: Set<String> = []
        return (node.json["spec"]?["taints"]?.arrayValue ?? []).enumerated().flatMap { index, taint in
            let path = "spec.taints[\(index)]"
            var errors = Self.errors(of: taint, at: path)
            let key = taint["key"]?.stringValue ?? ""
            let effect = taint["effect"]?.stringValue ?? ""
            if !seen.insert("\(key) \(effect)").inserted {
                // The API server prints the whole taint, with all its fields.
                let value = taint["value"]?.stringValue ?? ""
                errors.append(
                    .duplicate(
                        path,
                        printed: "{\"Key\":\(FieldError.quoted(key)),\"Value\":\(FieldError.quoted(value)),"
                            + "\"Effect\":\(FieldError.quoted(effect)),\"TimeAdded\":null}"))
            }
            return errors
        }
    }

    private static func errors(of taint: JSONValue, at path: String) -> [FieldError] {
        let key = taint["key"]?.stringValue ?? ""
        var errors = FieldError.invalid("\(path).key", key, problems: NameRules.qualifiedName(key))
        let value = taint["value"]?.stringValue ?? ""
        errors += FieldError.invalid("\(path).value", value, problems: NameRules.labelValue(value))
        let effect = taint["effect"]?.stringValue ?? ""
        if effect.isEmpty {
            errors.append(.required("\(path).effect"))
        } else if Taint.Effect(rawValue: effect) == nil {
            errors.append(
                .unsupported("\(path).effect", effect, supported: Taint.Effect.allCases.map(\.rawValue)))
        }
        return errors
    }
}
