import ClusterModel
import NetTypes

/// The rules for a Pod that the pod runtime relies on, in the API server's words.
enum PodRules {
    static func errors(of object: KubeObject) -> [FieldError] {
        guard let spec = object.json["spec"], spec.objectValue != nil else { return [.required("spec.containers")] }
        var errors: [FieldError] = []
        let containers = spec["containers"]?.arrayValue ?? []
        if containers.isEmpty { errors.append(.required("spec.containers")) }
        var names: Set<String> = []
        for (list, items) in [("initContainers", spec["initContainers"]?.arrayValue ?? []), ("containers", containers)]
        {
            for (index, container) in items.enumerated() {
                errors += Self.errors(of: container, at: "spec.\(list)[\(index)]", names: &names)
            }
        }
        for key in ["hostname", "subdomain"] {
            if let text = spec[key]?.stringValue, !text.isEmpty, let problem = NameRules.dns1123Label(text) {
                errors.append(.invalid("spec.\(key)", text, problem))
            }
        }
        let policies = ["Always", "Never", "OnFailure"]
        if let policy = spec["restartPolicy"]?.stringValue, !policies.contains(policy) {
            errors.append(.unsupported("spec.restartPolicy", policy, supported: policies))
        }
        if let grace = spec["terminationGracePeriodSeconds"]?.intValue, grace < 0 {
            errors.append(
                .invalid("spec.terminationGracePeriodSeconds", grace, "must be greater than or equal to 0"))
        }
        errors += VolumeRules.errors(of: spec)
        errors += dnsErrors(spec)
        return errors
    }

    private static func errors(of container: JSONValue, at path: String, names: inout Set<String>) -> [FieldError] {
        var errors: [FieldError] = []
        let name = container["name"]?.stringValue ?? ""
        if let error = ListedName.error(name, at: path, names: &names) { errors.append(error) }
        if (container["image"]?.stringValue ?? "").isEmpty { errors.append(.required("\(path).image")) }
        for (index, port) in (container["ports"]?.arrayValue ?? []).enumerated() {
            let number = port["containerPort"]?.intValue ?? 0
            if !(1...65535).contains(number) {
                errors.append(
                    .invalid(
                        "\(path).ports[\(index)].containerPort", number, "must be between 1 and 65535, inclusive"))
            }
            if let name = port["name"]?.stringValue, !name.isEmpty, let problem = NameRules.portName(name) {
                errors.append(.invalid("\(path).ports[\(index)].name", name, problem))
            }
        }
        for (index, variable) in (container["env"]?.arrayValue ?? []).enumerated() {
            if (variable["name"]?.stringValue ?? "").isEmpty { errors.append(.required("\(path).env[\(index)].name")) }
            if let value = variable["value"], value != .null, value.stringValue == nil {
                errors.append(
                    .invalid("\(path).env[\(index)].value", json: value, "must be a string (put it in quotes)"))
            }
        }
        for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if let probe = container[kind], probe != .null {
                errors += Self.errors(of: probe, kind: kind, at: "\(path).\(kind)")
            }
        }
        return errors
    }

    /// Semantics 4.1.
    private static func errors(of probe: JSONValue, kind: String, at path: String) -> [FieldError] {
        var errors: [FieldError] = []
        let handlers = ["exec", "grpc", "httpGet", "tcpSocket"].filter { probe[$0] != nil }
        if handlers.isEmpty { errors.append(.required(path, "must specify a handler type")) }
        for handler in handlers.dropFirst() {
            errors.append(.forbidden("\(path).\(handler)", "may not specify more than 1 handler type"))
        }
        for key in [
            "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold",
        ] {
            if let value = probe[key]?.intValue, value < 0 {
                errors.append(.invalid("\(path).\(key)", value, "must be greater than or equal to 0"))
            }
        }
        if kind != "readinessProbe", let value = probe["successThreshold"]?.intValue, value > 1 {
            errors.append(.invalid("\(path).successThreshold", value, "must be 1"))
        }
        return errors
    }

    /// Semantics 6.12.
    private static func dnsErrors(_ spec: JSONValue) -> [FieldError] {
        var errors: [FieldError] = []
        let policies = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]
        let policy = spec["dnsPolicy"]?.stringValue
        if let policy, !policies.contains(policy) {
            errors.append(.unsupported("spec.dnsPolicy", policy, supported: policies))
        }
        let servers = spec["dnsConfig"]?["nameservers"]?.arrayValue ?? []
        if policy == "None", servers.isEmpty {
            errors.append(
                .required(
                    "spec.dnsConfig.nameservers",
                    "must provide at least one DNS nameserver when `dnsPolicy` is None"))
        }
        if servers.count > 3 {
            errors.append(
                .invalid(
                    "spec.dnsConfig.nameservers", servers.compactMap(\.stringValue),
                    "must not have more than 3 nameservers"))
        }
        for (index, server) in servers.enumerated() where IPAddress(server.stringValue ?? "") == nil {
            errors.append(
                .invalid(
                    "spec.dnsConfig.nameservers[\(index)]", server.stringValue ?? "",
                    "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"))
        }
        let searches = (spec["dnsConfig"]?["searches"]?.arrayValue ?? []).compactMap(\.stringValue)
        if searches.count > 32 {
            errors.append(
                .invalid("spec.dnsConfig.searches", searches, "must not have more than 32 search paths"))
        }
        if searches.joined(separator: " ").utf8.count > 2048 {
            errors.append(
                .invalid(
                    "spec.dnsConfig.searches", searches,
                    "must not have more than 2048 characters (including spaces) in the search list"))
        }
        return errors
    }
}
