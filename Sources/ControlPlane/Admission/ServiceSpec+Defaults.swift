import ClusterModel

/// The defaults of a Service (semantics 2.1).
extension ServiceSpec {
    mutating func fillInDefaults() {
        if type.isEmpty { type = "ClusterIP" }
        ports = ports.map { port in
            var port = port
            if (port["protocol"]?.stringValue ?? "").isEmpty, port["protocol"] == nil || port["protocol"] == "" {
                port["protocol"] = "TCP"
            }
            let target = port["targetPort"]
            if target == nil || target == .null || target?.intValue == 0 || target?.stringValue == "" {
                port["targetPort"] = port["port"]
            }
            if port["nodePort"]?.intValue == 0 { port["nodePort"] = nil }
            if port["name"]?.stringValue == "" { port["name"] = nil }
            return port
        }
        for key in ["externalName", "loadBalancerIP"] where text(key).isEmpty { json[key] = nil }
        if text("sessionAffinity").isEmpty { json["sessionAffinity"] = "None" }
        switch text("sessionAffinity") {
        case "ClientIP":
            if json["sessionAffinityConfig"]?["clientIP"]?["timeoutSeconds"] == nil {
                json["sessionAffinityConfig"] = ["clientIP": ["timeoutSeconds": 10800]]
            }
        case "None": json["sessionAffinityConfig"] = nil
        default: break
        }
        if type == "LoadBalancer", json["allocateLoadBalancerNodePorts"] == nil {
            json["allocateLoadBalancerNodePorts"] = true
        }
        if isExternallyAccessible, externalTrafficPolicy.isEmpty { json["externalTrafficPolicy"] = "Cluster" }
        if !isExternalName, text("internalTrafficPolicy").isEmpty { json["internalTrafficPolicy"] = "Cluster" }
        if clusterIPs.isEmpty, !clusterIP.isEmpty { clusterIPs = [clusterIP] }
    }
}
