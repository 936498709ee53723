import ClusterModel

/// The rules for how a Deployment replaces its pods, and for its numbers, in the API server's words.
enum StrategyRules {
    static func errors(of spec: JSONValue) -> [FieldError] {
        strategyErrors(spec["strategy"] ?? [:], at: "spec.strategy") + numberErrors(spec)
    }

    private static func strategyErrors(_ strategy: JSONValue, at path: String) -> [FieldError] {
        let rolling = strategy["rollingUpdate"]
        switch strategy["type"]?.stringValue {
        case "Recreate":
            guard rolling != nil, rolling != .null else { return [] }
            return [
                .forbidden("\(path).rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
            ]
        case "RollingUpdate":
            var errors: [FieldError] = []
            for key in ["maxUnavailable", "maxSurge"] {
                errors += IntOrPercentRules.errors(rolling?[key], at: "\(path).rollingUpdate.\(key)", most: nil)
            }
            func number(_ key: String) -> Int? {
                switch IntOrString(rolling?[key]) {
                case .int(let number): number
                case .string(let text): Int(text.prefix { $0 != "%" })
                case nil: nil
                }
            }
            if number("maxUnavailable") == 0, number("maxSurge") == 0 {
                errors.append(
                    .invalid(
                        "\(path).rollingUpdate.maxUnavailable", json: rolling?["maxUnavailable"] ?? 0,
                        "may not be 0 when `maxSurge` is 0"))
            }
            if let unavailable = number("maxUnavailable"), unavailable > 100,
                case .string(let text)? = IntOrString(rolling?["maxUnavailable"])
            {
                errors.append(.invalid("\(path).rollingUpdate.maxUnavailable", text, "must not be greater than 100%"))
            }
            return errors
        default:
            return [
                FieldError(
                    path: path, kind: .unsupported, value: strategy.serializedText(),
                    detail: "supported values: \"Recreate\", \"RollingUpdate\"")
            ]
        }
    }

    private static func numberErrors(_ spec: JSONValue) -> [FieldError] {
        var errors = ["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"].compactMap {
            key -> FieldError? in
            guard let number = spec[key]?.intValue, number < 0 else { return nil }
            return .invalid("spec.\(key)", number, "must be greater than or equal to 0")
        }
        let ready = spec["minReadySeconds"]?.intValue ?? 0
        if let deadline = spec["progressDeadlineSeconds"]?.intValue, deadline <= ready {
            errors.append(.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
        }
        return errors
    }
}
