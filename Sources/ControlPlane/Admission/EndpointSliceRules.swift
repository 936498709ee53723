import ClusterModel
import NetTypes

/// The defaults and rules of an EndpointSlice (semantics 3.6), and its generation (1.3).
enum EndpointSliceRules {
    private static let mostEndpoints = 1000
    private static let mostAddresses = 100
    private static let mostPorts = 20000
    private static let mostHints = 8

    static func fillInDefaults(_ object: inout KubeObject) {
        guard let ports = object.json["ports"]?.arrayValue else { return }
        object.json["ports"] = .array(
            ports.map { port in
                guard port.objectValue != nil else { return port }
                var port = port
                if port["name"]?.stringValue == nil { port["name"] = "" }
                if port["protocol"] == nil || port["protocol"] == .null { port["protocol"] = "TCP" }
                return port
            })
    }

    /// - Parameter podRanges: where pods live, which slices may point at even where it is loopback.
    static func errors(of object: KubeObject, old: KubeObject?, podRanges: [CIDR]) -> [FieldError] {
        var errors: [FieldError] = []
        let types = ["FQDN", "IPv4", "IPv6"]
        let type = object.json["addressType"]?.stringValue ?? ""
        if type.isEmpty {
            errors.append(.required("addressType"))
        } else if !types.contains(type) {
            errors.append(.unsupported("addressType", type, supported: types))
        }
        let endpoints = object.json["endpoints"]?.arrayValue ?? []
        if endpoints.count > mostEndpoints {
            errors.append(.tooMany("endpoints", endpoints.count, most: mostEndpoints))
        } else {
            for (index, endpoint) in endpoints.enumerated() {
                errors += Self.errors(of: endpoint, type: type, at: "endpoints[\(index)]", podRanges)
            }
        }
        errors += portErrors(object.json["ports"]?.arrayValue ?? [])
        if let before = old?.json["addressType"]?.stringValue, before != type {
            errors.append(.invalid("addressType", type, "field is immutable"))
        }
        return errors
    }

    private static func portErrors(_ ports: [JSONValue]) -> [FieldError] {
        if ports.count > mostPorts { return [.tooMany("ports", ports.count, most: mostPorts)] }
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let path = "ports[\(index)]"
            let name = port["name"]?.stringValue ?? ""
            if !name.isEmpty {
                errors += FieldError.invalid("\(path).name", name, problems: NameRules.dns1123Label(name))
            }
            if !names.insert(name).inserted {
                errors.append(.duplicate("\(path).name", printed: FieldError.quoted(name)))
            }
            let transport = port["protocol"]?.stringValue ?? ""
            if TransportProtocol(rawValue: transport) == nil {
                errors.append(
                    .unsupported("\(path).protocol", transport, supported: TransportProtocol.allCases.map(\.rawValue)))
            }
            if let name = port["appProtocol"]?.stringValue {
                errors += FieldError.invalid("\(path).appProtocol", name, problems: NameRules.qualifiedName(name))
            }
        }
        return errors
    }

    private static func errors(
        of endpoint: JSONValue, type: String, at path: String, _ podRanges: [CIDR]
    ) -> [FieldError] {
        var errors: [FieldError] = []
        let addresses = endpoint["addresses"]?.arrayValue ?? []
        if addresses.isEmpty {
            errors.append(.required("\(path).addresses", "must contain at least 1 address"))
        } else if addresses.count > mostAddresses {
            errors.append(.tooMany("\(path).addresses", addresses.count, most: mostAddresses))
        }
        for (index, value) in addresses.enumerated() {
            let text = value.stringValue ?? ""
            errors += addressErrors(text, type: type, at: "\(path).addresses[\(index)]", podRanges)
        }
        if let node = endpoint["nodeName"]?.stringValue {
            errors += FieldError.invalid("\(path).nodeName", node, problems: NameRules.dns1123Subdomain(node))
        }
        if let hostname = endpoint["hostname"]?.stringValue {
            errors += FieldError.invalid("\(path).hostname", hostname, problems: NameRules.dns1123Label(hostname))
        }
        for list in ["forZones", "forNodes"] {
            errors += hintErrors(endpoint["hints"]?[list]?.arrayValue ?? [], at: "\(path).hints.\(list)")
        }
        return errors
    }

    private static func addressErrors(
        _ text: String, type: String, at path: String, _ podRanges: [CIDR]
    ) -> [FieldError] {
        guard type == "IPv4" || type == "IPv6" else {
            guard type == "FQDN" else { return [] }
            return FieldError.invalid(path, text, problems: NameRules.dns1123Subdomain(text))
        }
        guard let address = IPAddress(text), address.family.rawValue == type else {
            return [.invalid(path, text, "must be a valid \(type) address")]
        }
        return AddressRules.errors(of: text, at: path, podRanges: podRanges)
    }

    private static func hintErrors(_ hints: [JSONValue], at path: String) -> [FieldError] {
        if hints.count > mostHints { return [.tooMany(path, hints.count, most: mostHints)] }
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, hint) in hints.enumerated() {
            let name = hint["name"]?.stringValue ?? ""
            if !names.insert(name).inserted {
                errors.append(.duplicate("\(path)[\(index)].name", printed: FieldError.quoted(name)))
            }
            let problems =
                path.hasSuffix("forZones") ? NameRules.labelValue(name) : NameRules.dns1123Subdomain(name)
            errors += FieldError.invalid("\(path)[\(index)].name", name, problems: problems)
        }
        return errors
    }

    /// 1 at first, and one more with each change of what the slice says.
    static func setGeneration(_ object: inout KubeObject, old: KubeObject?) {
        guard let old else {
            object.generation = 1
            return
        }
        let isSame =
            object.labels == old.labels && object.json["endpoints"] == old.json["endpoints"]
            && object.json["ports"] == old.json["ports"]
        object.generation = (old.generation ?? 1) + (isSame ? 0 : 1)
    }
}
