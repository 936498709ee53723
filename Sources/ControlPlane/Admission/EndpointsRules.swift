import ClusterModel
import NetTypes

/// The rules for an Endpoints object (semantics 3.9).
enum EndpointsRules {
    static func fillInDefaults(_ object: inout KubeObject) {
        guard let subsets = object.json["subsets"]?.arrayValue else { return }
        object.json["subsets"] = .array(
            subsets.map { subset in
                guard let ports = subset["ports"]?.arrayValue else { return subset }
                var subset = subset
                subset["ports"] = .array(
                    ports.map { port in
                        var port = port
                        if (port["protocol"]?.stringValue ?? "").isEmpty { port["protocol"] = "TCP" }
                        return port
                    })
                return subset
            })
    }

    /// - Parameter podRanges: where pods live, which addresses may point at even where it is loopback.
    static func errors(of object: KubeObject, podRanges: [CIDR]) -> [FieldError] {
        (object.json["subsets"]?.arrayValue ?? []).enumerated().flatMap { index, subset in
            Self.errors(of: subset, at: "subsets[\(index)]", podRanges)
        }
    }

    private static func errors(of subset: JSONValue, at path: String, _ podRanges: [CIDR]) -> [FieldError] {
        var errors: [FieldError] = []
        let lists = ["addresses", "notReadyAddresses"]
        if lists.allSatisfy({ (subset[$0]?.arrayValue ?? []).isEmpty }) {
            errors.append(.required(path, "must specify `addresses` or `notReadyAddresses`"))
        }
        for list in lists {
            for (index, address) in (subset[list]?.arrayValue ?? []).enumerated() {
                let text = address["ip"]?.stringValue ?? ""
                let place = "\(path).\(list)[\(index)]"
                errors += AddressRules.errors(of: text, at: "\(place).ip", podRanges: podRanges)
                if let hostname = address["hostname"]?.stringValue, !hostname.isEmpty {
                    errors += FieldError.invalid(
                        "\(place).hostname", hostname, problems: NameRules.dns1123Label(hostname))
                }
                if let node = address["nodeName"]?.stringValue {
                    errors += FieldError.invalid("\(place).nodeName", node, problems: NameRules.dns1123Subdomain(node))
                }
            }
        }
        let ports = subset["ports"]?.arrayValue ?? []
        for (index, port) in ports.enumerated() {
            let place = "\(path).ports[\(index)]"
            let name = port["name"]?.stringValue ?? ""
            if name.isEmpty {
                if ports.count > 1 { errors.append(.required("\(place).name")) }
            } else {
                errors += FieldError.invalid("\(place).name", name, problems: NameRules.dns1123Label(name))
            }
            let number = port["port"]?.intValue ?? 0
            if !(1...65535).contains(number) {
                errors.append(.invalid("\(place).port", number, "must be between 1 and 65535, inclusive"))
            }
            let transport = port["protocol"]?.stringValue ?? ""
            if TransportProtocol(rawValue: transport) == nil {
                errors.append(
                    .unsupported("\(place).protocol", transport, supported: TransportProtocol.allCases.map(\.rawValue)))
            }
            if let name = port["appProtocol"]?.stringValue {
                errors += FieldError.invalid("\(place).appProtocol", name, problems: NameRules.qualifiedName(name))
            }
        }
        return errors
    }
}
