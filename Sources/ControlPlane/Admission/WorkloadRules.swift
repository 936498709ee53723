import ClusterModel

/// Defaults and rules of Deployments and ReplicaSets, in the API server's words.
enum WorkloadRules {
    static func fillInDefaults(_ object: inout KubeObject) {
        guard var spec = object.json["spec"], spec.objectValue != nil else { return }
        if spec["replicas"] == nil { spec["replicas"] = 1 }
        if object.type == .deployments {
            if spec["revisionHistoryLimit"] == nil { spec["revisionHistoryLimit"] = 10 }
            if spec["progressDeadlineSeconds"] == nil { spec["progressDeadlineSeconds"] = 600 }
            var strategy = spec["strategy"] ?? [:]
            if (strategy["type"]?.stringValue ?? "").isEmpty { strategy["type"] = "RollingUpdate" }
            if strategy["type"] == "RollingUpdate" {
                var rolling = strategy["rollingUpdate"] ?? [:]
                for key in ["maxSurge", "maxUnavailable"] where rolling[key] == nil { rolling[key] = "25%" }
                strategy["rollingUpdate"] = rolling
            }
            spec["strategy"] = strategy
        }
        if let template = spec["template"] { spec["template"] = filledIn(template) }
        object.json["spec"] = spec
        if object.json["status"] == nil { object.json["status"] = object.type == .replicasets ? ["replicas": 0] : [:] }
    }

    /// A template with what the API server fills in.
    static func filledIn(_ template: JSONValue) -> JSONValue {
        guard case .object(var spec)? = template["spec"] else { return template }
        PodSpecDefaults.fillIn(&spec)
        var template = template
        template["spec"] = .object(spec)
        return template
    }

    /// The template of a PodTemplate.
    static func fillInTemplate(_ object: inout KubeObject) {
        if let template = object.json["template"] { object.json["template"] = filledIn(template) }
    }

    static func errors(of object: KubeObject, old: KubeObject?) -> [FieldError] {
        var errors: [FieldError] = []
        let spec = object.json["spec"]
        let selector = LabelSelector(spec?["selector"])
        if spec?["selector"] == nil {
            errors.append(.required("spec.selector"))
        } else if selector == nil {
            errors.append(
                .invalid("spec.selector", json: spec?["selector"] ?? [:], "empty selector is invalid for deployment"))
        }
        let labels = spec?["template"]?["metadata"]?["labels"]?.stringMap ?? [:]
        if spec?["selector"] == nil || selector?.matches(labels) == false {
            errors.append(
                .invalid(
                    "spec.template.metadata.labels", json: labels.isEmpty ? .null : JSONValue(labels),
                    "`selector` does not match template `labels`"))
        }
        if let old, let before = old.json["spec"]?["selector"], before != spec?["selector"] {
            errors.append(.invalid("spec.selector", json: spec?["selector"] ?? .null, "field is immutable"))
        }
        if let replicas = spec?["replicas"]?.intValue, replicas < 0 {
            errors.append(.invalid("spec.replicas", replicas, "must be greater than or equal to 0"))
        }
        let template = spec?["template"] ?? [:]
        errors += PodRules.errors(of: KubeObject(template)).map { error in
            FieldError(path: "spec.template.\(error.path)", kind: error.kind, value: error.value, detail: error.detail)
        }
        let policy = template["spec"]?["restartPolicy"]?.stringValue ?? "Always"
        if policy != "Always" {
            errors.append(.unsupported("spec.template.spec.restartPolicy", policy, supported: ["Always"]))
        }
        if object.type == .deployments { errors += StrategyRules.errors(of: spec ?? [:]) }
        return errors
    }

    /// 1 at first, and one more with each change of what is wanted.
    static func setGeneration(_ object: inout KubeObject, old: KubeObject?) {
        guard let old else {
            object.generation = 1
            return
        }
        object.generation = (old.generation ?? 1) + (object.json["spec"] == old.json["spec"] ? 0 : 1)
    }
}
