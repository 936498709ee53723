import ClusterModel
import NetTypes

/// The rules for a Service, in the API server's words (semantics 2.1, 2.2, 2.7).
extension ServiceSpec {
    /// What is wrong; run after ``fillInDefaults()`` and ``settleFamilies(cluster:old:)``.
    func validationErrors(old: ServiceSpec?) -> [FieldError] {
        let types = ServiceType.allCases.map(\.rawValue)
        guard types.contains(type) else { return [.unsupported("spec.type", type, supported: types)] }
        var errors: [FieldError] = []
        if ports.isEmpty, !isHeadless, !isExternalName { errors.append(.required("spec.ports")) }
        if isHeadless, hasNodePorts {
            errors.append(
                .invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for \(type) services"))
        }
        errors += clusterIPErrors()
        errors += portErrors()
        errors += selectorErrors()
        errors += affinityErrors()
        errors += externalNameErrors()
        errors += externalIPErrors()
        errors += loadBalancerErrors(old: old)
        errors += policyErrors()
        if let old { errors += immutableErrors(old) }
        return errors
    }

    private func clusterIPErrors() -> [FieldError] {
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
        var pairs: Set<String> = []
        var nodePorts: Set<String> = []
        for (index, port) in ports.enumerated() {
            let path = "spec.ports[\(index)]"
            errors += Self.errors(of: port, at: path)
            let name = port["name"]?.stringValue ?? ""
            // A single port needs no name.
            if !name.isEmpty || ports.count > 1, let error = ListedName.error(name, at: path, names: &names) {
                errors.append(error)
            }
            let transport = port["protocol"]?.stringValue ?? ""
            if !pairs.insert("\(transport) \(port["port"]?.intValue ?? 0)").inserted {
                errors.append(.duplicate(path, printed: Self.printed(port)))
            }
            let node = port.nodePort
            if node != 0, !hasNodePorts {
                errors.append(
                    .forbidden("\(path).nodePort", "may not be used when `type` is '\(type)'"))
            } else if node != 0, !nodePorts.insert("\(transport) \(node)").inserted {
                errors.append(.duplicate("\(path).nodePort", printed: "\(node)"))
            }
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
            if let problem = NameRules.portName(target) {
                errors.append(.invalid("\(path).targetPort", target, problem))
            }
        case .int, nil: break
        }
        if let name = port["appProtocol"]?.stringValue, let problem = NameRules.qualifiedName(name) {
            errors.append(.invalid("\(path).appProtocol", name, problem))
        }
        return errors
    }

    /// A port as the API server prints it in `Duplicate value`.
    private static func printed(_ port: JSONValue) -> String {
        func quoted(_ key: String) -> String { FieldError.quoted(port[key]?.stringValue ?? "") }
        let application = port["appProtocol"]?.stringValue.map(FieldError.quoted) ?? "null"
        let target =
            switch IntOrString(port["targetPort"]) {
            case .string(let name): FieldError.quoted(name)
            case .int(let number): "\(number)"
            case nil: "0"
            }
        return "{\"Name\":\(quoted("name")),\"Protocol\":\(quoted("protocol")),\"AppProtocol\":\(application),"
            + "\"Port\":\(port["port"]?.intValue ?? 0),\"TargetPort\":\(target),\"NodePort\":\(port.nodePort)}"
    }

    // MARK: The rest

    private func selectorErrors() -> [FieldError] {
        (json["selector"]?.objectValue ?? [:]).sorted { $0.key < $1.key }.flatMap { key, value -> [FieldError] in
            var errors: [FieldError] = []
            if let problem = NameRules.qualifiedName(key) { errors.append(.invalid("spec.selector", key, problem)) }
            guard let text = value.stringValue else {
                return errors + [.invalid("spec.selector.\(key)", json: value, "must be a string (put it in quotes)")]
            }
            if let problem = NameRules.labelValue(text) { errors.append(.invalid("spec.selector", text, problem)) }
            return errors
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
        guard !name.isEmpty else { return [.required("spec.externalName")] }
        let bare = name.hasSuffix(".") ? String(name.dropLast()) : name
        return NameRules.dns1123Subdomain(bare).map { [.invalid("spec.externalName", name, $0)] } ?? []
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
        } else {
            for (index, range) in ranges.enumerated() {
                let text = range.stringValue ?? ""
                guard CIDR(text.filter { $0 != " " }) == nil else { continue }
                errors.append(
                    .invalid(
                        "spec.LoadBalancerSourceRanges[\(index)]", text,
                        "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"))
            }
        }
        if let name = json["loadBalancerClass"]?.stringValue {
            if type != "LoadBalancer" {
                errors.append(.forbidden("spec.loadBalancerClass", onlyLoadBalancer))
            } else if let problem = NameRules.qualifiedName(name) {
                errors.append(.invalid("spec.loadBalancerClass", name, problem))
            }
        }
        if let old, old.type == "LoadBalancer", type == "LoadBalancer",
            json["loadBalancerClass"] != old.json["loadBalancerClass"]
        {
            let value = json["loadBalancerClass"] ?? .null
            errors.append(.invalid("spec.loadBalancerClass", json: value, "may not change once set"))
        }
        if json["allocateLoadBalancerNodePorts"] != nil, type != "LoadBalancer" {
            errors.append(.forbidden("spec.allocateLoadBalancerNodePorts", onlyLoadBalancer))
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
        let internalPolicy = text("internalTrafficPolicy")
        if !isExternalName, !policies.contains(internalPolicy) {
            errors.append(.unsupported("spec.internalTrafficPolicy", internalPolicy, supported: policies))
        }
        if healthCheckNodePort != 0, !wantsHealthCheckPort {
            errors.append(
                .invalid(
                    "spec.healthCheckNodePort", healthCheckNodePort,
                    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
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
        if familyPolicy != "SingleStack" {
            if old.clusterIPs.count == 2, clusterIPs.count == 1 {
                errors.append(
                    .invalid(
                        "spec.ipFamilyPolicy", familyPolicy ?? "",
                        "must be 'SingleStack' to release the secondary cluster IP"))
            }
        }
        if wantsHealthCheckPort, old.wantsHealthCheckPort, old.healthCheckNodePort != 0,
            healthCheckNodePort != old.healthCheckNodePort
        {
            errors.append(.forbidden("spec.healthCheckNodePort", "field is immutable"))
        }
        return errors
    }
}
