import ClusterModel
import NetTypes

/// The rules for an EndpointSlice (semantics 3.6), and its generation (1.3).
enum EndpointSliceRules {
    private static let mostEndpoints = 1000
    private static let mostAddresses = 100
    private static let mostPorts = 20000

    static func errors(of object: KubeObject, old: KubeObject?) -> [FieldError] {
        var errors: [FieldError] = []
        let types = ["FQDN", "IPv4", "IPv6"]
        let type = object.json["addressType"]?.stringValue ?? ""
        if type.isEmpty {
            errors.append(.required("addressType"))
        } else if !types.contains(type) {
            errors.append(.unsupported("addressType", type, supported: types))
        } else if let before = old?.json["addressType"]?.stringValue, before != type {
            errors.append(.invalid("addressType", type, "field is immutable"))
        }
        let endpoints = object.json["endpoints"]?.arrayValue ?? []
        if endpoints.count > mostEndpoints {
            errors.append(
                .invalid("endpoints", endpoints.count, "must have at most \(mostEndpoints) items"))
        }
        for (index, endpoint) in endpoints.prefix(mostEndpoints).enumerated() {
            errors += Self.errors(of: endpoint, type: type, at: "endpoints[\(index)]")
        }
        let ports = object.json["ports"]?.arrayValue ?? []
        if ports.count > mostPorts { errors.append(.invalid("ports", ports.count, "must have at most 20000 items")) }
        var names: Set<String> = []
        for (index, port) in ports.prefix(mostPorts).enumerated() {
            let name = port["name"]?.stringValue ?? ""
            if !name.isEmpty, let problem = NameRules.dns1123Label(name) {
                errors.append(.invalid("ports[\(index)].name", name, problem))
            }
            if !names.insert(name).inserted {
                errors.append(.duplicate("ports[\(index)].name", printed: FieldError.quoted(name)))
            }
        }
        return errors
    }

    private static func errors(of endpoint: JSONValue, type: String, at path: String) -> [FieldError] {
        let addresses = endpoint["addresses"]?.arrayValue ?? []
        if addresses.isEmpty { return [.required("\(path).addresses", "must contain at least 1 address")] }
        if addresses.count > mostAddresses {
            return [.invalid("\(path).addresses", addresses.count, "must have at most \(mostAddresses) items")]
        }
        return addresses.enumerated().flatMap { index, value -> [FieldError] in
            let text = value.stringValue ?? ""
            let place = "\(path).addresses[\(index)]"
            if type == "FQDN" {
                return NameRules.dns1123Subdomain(text).map { [.invalid(place, text, $0)] } ?? []
            }
            guard let address = IPAddress(text), address.family.rawValue == type else {
                return [.invalid(place, text, "must be a valid \(type) address")]
            }
            return []
        }
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
