import ClusterModel
import NetTypes

/// What a load balancer may write into a Service's status (semantics 2.9).
enum LoadBalancerStatus {
    /// An address without `ipMode` is one that the proxy captures.
    static func fillInDefaults(_ service: inout KubeObject) {
        guard let ingress = service.json["status"]?["loadBalancer"]?["ingress"]?.arrayValue else { return }
        let filled = ingress.map { entry in
            guard let ip = entry["ip"]?.stringValue, !ip.isEmpty, entry["ipMode"] == nil else { return entry }
            var entry = entry
            entry["ipMode"] = "VIP"
            return entry
        }
        if filled != ingress { service.json["status"]?["loadBalancer"]?["ingress"] = .array(filled) }
    }

    static func errors(of service: KubeObject) -> [FieldError] {
        let path = "status.loadBalancer.ingress"
        let ingress = service.json["status"]?["loadBalancer"]?["ingress"]?.arrayValue ?? []
        guard !ingress.isEmpty else { return [] }
        guard service.json["spec"]?["type"]?.stringValue == "LoadBalancer" else {
            return [.forbidden(path, "may only be used when `spec.type` is \"LoadBalancer\"")]
        }
        return ingress.enumerated().flatMap { errors(of: $1, at: "\(path)[\($0)]") }
    }

    private static func errors(of entry: JSONValue, at path: String) -> [FieldError] {
        var errors: [FieldError] = []
        let ip = entry["ip"]?.stringValue ?? ""
        if !ip.isEmpty, IPAddress(ip) == nil { errors.append(.invalid("\(path).ip", ip, "must be a valid IP address")) }
        if let mode = entry["ipMode"]?.stringValue {
            if ip.isEmpty {
                errors.append(.forbidden("\(path).ipMode", "may not be specified when `ip` is not set"))
            } else if mode != "VIP", mode != "Proxy" {
                errors.append(.unsupported("\(path).ipMode", mode, supported: ["Proxy", "VIP"]))
            }
        }
        let name = entry["hostname"]?.stringValue ?? ""
        guard !name.isEmpty else { return errors }
        errors += FieldError.invalid("\(path).hostname", name, problems: NameRules.dns1123Subdomain(name))
        if IPAddress(name) != nil {
            errors.append(.invalid("\(path).hostname", name, "must be a DNS name, not an IP address"))
        }
        return errors
    }
}
