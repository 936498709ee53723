import ClusterModel
import NetTypes

/// The rules for a Service, in the API server's words (semantics 2.1, 2.2, 2.7).
extension ServiceSpec {
    /// What is wrong, in the API server's order; run after ``fillInDefaults()``.
    ///
    /// - Parameter familyErrors: those of ``settleFamilies(cluster:old:)``.
    func validationErrors(old: ServiceSpec?, familyErrors: [FieldError] = []) -> [FieldError] {
        var errors: [FieldError] = []
        if let old { errors += immutableErrors(old) }
        if ports.isEmpty, !isHeadless, !isExternalName { errors.append(.required("spec.ports")) }
        if isHeadless, hasNodePorts {
            errors.append(
                .invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for \(type) services"))
        }
        errors += externalNameErrors()
        errors += portErrors()
        errors += selectorErrors()
        errors += affinityErrors()
        errors += familyErrors
        errors += externalIPErrors()
        let types = ServiceType.allCases.map(\.rawValue)
        if !types.contains(type) { errors.append(.unsupported("spec.type", type, supported: types)) }
        errors += nodePortErrors()
        errors += duplicatePortErrors()
        errors += loadBalancerErrors(old: old)
        errors += policyErrors()
        return errors
    }

    /// What is wrong between `clusterIP` and `clusterIPs` (semantics 2.6).
    func clusterIPErrors() -> [FieldError] {
        if clusterIP.isEmpty, !clusterIPs.isEmpty {
            return [.invalid("spec.clusterIPs", clusterIPs, "must be empty when `clusterIP` is not specified")]
        }
        if let first = clusterIPs.first, first != clusterIP {
            return [.invalid("spec.clusterIPs", clusterIPs, "first value must match `clusterIP`")]
        }
        return []
    }

    // MARK: Ports

    private func portErrors() -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let path = "spec.ports[\(index)]"
            let name = port["name"]?.stringValue ?? ""
            // A single port needs no name.
            if !name.isEmpty || ports.count > 1 { errors += ListedName.errors(name, at: path, names: &names) }
            errors += Self.errors(of: port, at: path)
        }
        return errors
    }

    private func nodePortErrors() -> [FieldError] {
        var errors: [FieldError] = []
        var taken: Set<String> = []
        for (index, port) in ports.enumerated() where port.nodePort != 0 {
            let path = "spec.ports[\(index)].nodePort"
            if type == "ClusterIP" { errors.append(.forbidden(path, "may not be used when `type` is '\(type)'")) }
            if !taken.insert("\(port["protocol"]?.stringValue ?? "") \(port.nodePort)").inserted {
                errors.append(.duplicate(path, printed: "\(port.nodePort)"))
            }
        }
        return errors
    }

    /// One number may serve once per protocol; the API server prints what the two entries have in common.
    private func duplicatePortErrors() -> [FieldError] {
        var errors: [FieldError] = []
        var pairs: Set<String> = []
        for (index, port) in ports.enumerated() {
            let transport = FieldError.quoted(port["protocol"]?.stringValue ?? "")
            let number = port["port"]?.intValue ?? 0
            guard !pairs.insert("\(transport) \(number)").inserted else { continue }
            errors.append(
                .duplicate(
                    "spec.ports[\(index)]",
                    printed: "{\"Name\":\"\",\"Protocol\":\(transport),\"AppProtocol\":null,\"Port\":\(number),"
                        + "\"TargetPort\":0,\"NodePort\":0}"))
        }
        return errors
    }

    private static func errors(of port: JSONValue, at path: String) -> [FieldError] {
        var errors: [FieldError] = []
        let range = "must be between 1 and 65535, inclusive"
        let number = port["port"]?.intValue ?? 0
        if !(1...65535).contains(number) { errors.append(.invalid("\(path).port", number, range)) }
        let transport = port["protocol"]?.stringValue ?? ""
        if TransportProtocol(rawValue: transport) == nil {
            errors.append(
                .unsupported("\(path).protocol", transport, supported: TransportProtocol.allCases.map(\.rawValue)))
        }
        switch IntOrString(port["targetPort"]) {
        case .int(let target) where !(1...65535).contains(target):
            errors.append(.invalid("\(path).targetPort", target, range))
        case .string(let target):
            errors += FieldError.invalid("\(path).targetPort", target, problems: NameRules.portName(target))
        case .int, nil: break
        }
        if let name = port["appProtocol"]?.stringValue {
            errors += FieldError.invalid("\(path).appProtocol", name, problems: NameRules.qualifiedName(name))
        }
        return errors
    }

    // MARK: The rest

    private func selectorErrors() -> [FieldError] {
        (json["selector"]?.objectValue ?? [:]).sorted { $0.key < $1.key }.flatMap { key, value -> [FieldError] in
            let errors = FieldError.invalid("spec.selector", key, problems: NameRules.qualifiedName(key))
            guard let text = value.stringValue else {
                return errors + [.invalid("spec.selector.\(key)", json: value, "must be a string (put it in quotes)")]
            }
            return errors + FieldError.invalid("spec.selector", text, problems: NameRules.labelValue(text))
        }
    }

    private func affinityErrors() -> [FieldError] {
        let affinity = text("sessionAffinity")
        guard ["None", "ClientIP"].contains(affinity) else {
            return [.unsupported("spec.sessionAffinity", affinity, supported: ["ClientIP", "None"])]
        }
        guard affinity == "ClientIP" else { return [] }
        let seconds = json["sessionAffinityConfig"]?["clientIP"]?["timeoutSeconds"]?.intValue ?? 0
        guard (1...86400).contains(seconds) else {
            return [
                .invalid(
                    "spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds,
                    "must be greater than 0 and less than 86400")
            ]
        }
        return []
    }

    private func externalNameErrors() -> [FieldError] {
        guard isExternalName else { return [] }
        let name = text("externalName")
        let bare = name.hasSuffix(".") ? String(name.dropLast()) : name
        guard !bare.isEmpty else { return [.required("spec.externalName")] }
        return FieldError.invalid("spec.externalName", bare, problems: NameRules.dns1123Subdomain(bare))
    }

    private func externalIPErrors() -> [FieldError] {
        (json["externalIPs"]?.arrayValue ?? []).enumerated().flatMap { index, value -> [FieldError] in
            AddressRules.errors(of: value.stringValue ?? "", at: "spec.externalIPs[\(index)]")
        }
    }

    private func loadBalancerErrors(old: ServiceSpec?) -> [FieldError] {
        var errors: [FieldError] = []
        let onlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'"
        let ranges = json["loadBalancerSourceRanges"]?.arrayValue ?? []
        if !ranges.isEmpty, type != "LoadBalancer" {
            errors.append(.forbidden("spec.LoadBalancerSourceRanges", onlyLoadBalancer))
        }
        for (index, range) in ranges.enumerated() {
            let text = (range.stringValue ?? "").trimmed
            guard CIDR(text) == nil else { continue }
            errors.append(
                .invalid(
                    "spec.LoadBalancerSourceRanges[\(index)]", text,
                    "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"))
        }
        if json["allocateLoadBalancerNodePorts"] != nil, type != "LoadBalancer" {
            errors.append(.forbidden("spec.allocateLoadBalancerNodePorts", onlyLoadBalancer))
        }
        if let name = json["loadBalancerClass"]?.stringValue {
            if type != "LoadBalancer" {
                errors.append(.forbidden("spec.loadBalancerClass", onlyLoadBalancer))
            } else {
                errors += FieldError.invalid("spec.loadBalancerClass", name, problems: NameRules.qualifiedName(name))
            }
        }
        if let old, old.type == "LoadBalancer", type == "LoadBalancer",
            json["loadBalancerClass"] != old.json["loadBalancerClass"]
        {
            let value = json["loadBalancerClass"] ?? .null
            errors.append(.invalid("spec.loadBalancerClass", json: value, "may not change once set"))
        }
        return errors
    }

    private func policyErrors() -> [FieldError] {
        var errors: [FieldError] = []
        let policies = TrafficPolicy.allCases.map(\.rawValue)
        let external = externalTrafficPolicy
        if !external.isEmpty {
            if !isExternallyAccessible {
                errors.append(
                    .invalid(
                        "spec.externalTrafficPolicy", external,
                        "may only be set for externally-accessible services"))
            } else if !policies.contains(external) {
                errors.append(.unsupported("spec.externalTrafficPolicy", external, supported: policies))
            }
        }
        if healthCheckNodePort != 0, !wantsHealthCheckPort {
            errors.append(
                .invalid(
                    "spec.healthCheckNodePort", healthCheckNodePort,
                    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
        }
        let internalPolicy = text("internalTrafficPolicy")
        if !policies.contains(internalPolicy), !isExternalName || !internalPolicy.isEmpty {
            errors.append(.unsupported("spec.internalTrafficPolicy", internalPolicy, supported: policies))
        }
        if let distribution = json["trafficDistribution"]?.stringValue {
            let known = ["PreferClose", "PreferSameNode", "PreferSameZone"]
            if !known.contains(distribution) {
                errors.append(.unsupported("spec.trafficDistribution", distribution, supported: known))
            }
        }
        return errors
    }

    private func immutableErrors(_ old: ServiceSpec) -> [FieldError] {
        guard !isExternalName, !old.isExternalName else { return [] }
        var errors: [FieldError] = []
        if let before = old.clusterIPs.first, !before.isEmpty {
            if clusterIPs.isEmpty {
                errors.append(.invalid("spec.clusterIPs[0]", clusterIPs, "primary clusterIP can not be unset"))
            } else if clusterIPs[0] != before {
                errors.append(.invalid("spec.clusterIPs[0]", clusterIPs, "may not change once set"))
            }
        }
        if clusterIPs.count > 1, old.clusterIPs.count > 1, clusterIPs[1] != old.clusterIPs[1] {
            errors.append(.invalid("spec.clusterIPs[1]", clusterIPs, "may not change once set"))
        }
        let mayChangeFamilies = isHeadless && old.isHeadless
        if let before = old.families.first, let now = families.first, before != now, !mayChangeFamilies {
            errors.append(.invalid("spec.ipFamilies[0]", families, "may not change once set"))
        }
        if wantsHealthCheckPort, old.wantsHealthCheckPort, old.healthCheckNodePort != 0,
            healthCheckNodePort != old.healthCheckNodePort
        {
            errors.append(.forbidden("spec.healthCheckNodePort", "field is immutable"))
        }
        return errors
    }
}
