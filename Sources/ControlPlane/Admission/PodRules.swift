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
            guard let text = spec[key]?.stringValue, !text.isEmpty else { continue }
            errors += FieldError.invalid("spec.\(key)", text, problems: NameRules.dns1123Label(text))
        }
        for (index, gate) in (spec["readinessGates"]?.arrayValue ?? []).enumerated() {
            let type = gate["conditionType"]?.stringValue ?? ""
            errors += FieldError.invalid(
                "spec.readinessGates[\(index)].conditionType", type, problems: NameRules.qualifiedName(type))
        }
        let policies = ["Always", "Never", "OnFailure"]
        if let policy = spec["restartPolicy"]?.stringValue, !policies.contains(policy) {
            errors.append(.unsupported("spec.restartPolicy", policy, supported: policies))
        }
        if let grace = spec["terminationGracePeriodSeconds"]?.intValue, grace < 0 {
            errors.append(
                .invalid("spec.terminationGracePeriodSeconds", grace, "must be greater than or equal to 0"))
        }
        if let deadline = spec["activeDeadlineSeconds"]?.intValue, !(1...Int(Int32.max)).contains(deadline) {
            errors.append(
                .invalid("spec.activeDeadlineSeconds", deadline, "must be between 1 and \(Int32.max), inclusive"))
        }
        errors += PlacementRules.errors(of: spec)
        errors += VolumeRules.errors(of: spec)
        errors += dnsErrors(spec)
        return errors
    }

    private static func errors(of container: JSONValue, at path: String, names: inout Set<String>) -> [FieldError] {
        var errors: [FieldError] = []
        let name = container["name"]?.stringValue ?? ""
        errors += ListedName.errors(name, at: path, names: &names)
        if (container["image"]?.stringValue ?? "").isEmpty { errors.append(.required("\(path).image")) }
        errors += portErrors(container["ports"]?.arrayValue ?? [], at: "\(path).ports")
        for (index, variable) in (container["env"]?.arrayValue ?? []).enumerated() {
            let name = variable["name"]?.stringValue ?? ""
            if name.isEmpty { errors.append(.required("\(path).env[\(index)].name")) }
            if name.utf8.contains(where: { !(0x20...0x7E).contains($0) || $0 == UInt8(ascii: "=") }) {
                errors.append(
                    .invalid(
                        "\(path).env[\(index)].name", name,
                        "a valid environment variable name must consist only of printable ASCII characters other than '='"
                    ))
            }
            if let value = variable["value"], value != .null, value.stringValue == nil {
                errors.append(
                    .invalid("\(path).env[\(index)].value", json: value, "must be a string (put it in quotes)"))
            }
        }
        if let policy = container["imagePullPolicy"]?.stringValue, !pullPolicies.contains(policy) {
            errors.append(.unsupported("\(path).imagePullPolicy", policy, supported: pullPolicies))
        }
        return errors + ProbeRules.errors(of: container, at: path) + ResourceRules.errors(of: container, at: path)
    }

    private static let pullPolicies = ["Always", "IfNotPresent", "Never"]

    private static func portErrors(_ ports: [JSONValue], at path: String) -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let place = "\(path)[\(index)]"
            if let name = port["name"]?.stringValue, !name.isEmpty {
                let problems = NameRules.portName(name)
                errors += FieldError.invalid("\(place).name", name, problems: problems)
                if problems.isEmpty, !names.insert(name).inserted {
                    errors.append(.duplicate("\(place).name", printed: FieldError.quoted(name)))
                }
            }
            for key in ["containerPort", "hostPort"] {
                let number = port[key]?.intValue ?? 0
                if number == 0 {
                    if key == "containerPort" { errors.append(.required("\(place).\(key)")) }
                } else if !(1...65535).contains(number) {
                    errors.append(.invalid("\(place).\(key)", number, "must be between 1 and 65535, inclusive"))
                }
            }
            let transport = port["protocol"]?.stringValue ?? ""
            if TransportProtocol(rawValue: transport) == nil {
                errors.append(
                    .unsupported(
                        "\(place).protocol", transport, supported: TransportProtocol.allCases.map(\.rawValue)))
            }
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
