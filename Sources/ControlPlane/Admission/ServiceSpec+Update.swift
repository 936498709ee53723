import ClusterModel

/// What an update keeps of the stored Service, and what a change of type takes away (semantics 2.6, 2.8).
extension ServiceSpec {
    /// Fills in what was allocated for `old` and is not named again, so that the same manifest can be applied twice.
    mutating func keepAllocated(from old: ServiceSpec) {
        guard !isExternalName, !old.isExternalName else { return }
        followChangedClusterIP(old)
        if clusterIP.isEmpty, clusterIPs.isEmpty {
            clusterIP = old.clusterIP
            clusterIPs = old.clusterIPs
        }
        if familyPolicy == nil { familyPolicy = old.familyPolicy }
        if families.isEmpty { families = old.families }
        if hasNodePorts, old.hasNodePorts { keepNodePorts(of: old) }
        if wantsHealthCheckPort, healthCheckNodePort == 0 { healthCheckNodePort = old.healthCheckNodePort }
    }

    /// Of the pair clusterIP and clusterIPs, the one that did not change follows the other.
    private mutating func followChangedClusterIP(_ old: ServiceSpec) {
        let (single, list) = (clusterIP, clusterIPs)
        if single != old.clusterIP, list == old.clusterIPs, !single.isEmpty {
            clusterIPs = [single] + list.dropFirst()
        } else if single == old.clusterIP, list != old.clusterIPs, let first = list.first {
            clusterIP = first
        } else if list.isEmpty, !single.isEmpty, single == old.clusterIP {
            clusterIPs = old.clusterIPs
        }
    }

    private mutating func keepNodePorts(of old: ServiceSpec) {
        var used = Set(ports.map(\.nodePort).filter { $0 != 0 })
        var kept: [String: Int] = [:]
        for port in old.ports where port.nodePort != 0 { kept[port["name"]?.stringValue ?? ""] = port.nodePort }
        ports = ports.map { port in
            guard port.nodePort == 0, let number = kept[port["name"]?.stringValue ?? ""],
                used.insert(number).inserted
            else { return port }
            var port = port
            port.nodePort = number
            return port
        }
    }

    /// Takes away what belongs to the old type only; what the user changed at the same time is left for validation.
    mutating func dropTypeDependentFields(of old: ServiceSpec) {
        if isExternalName, !old.isExternalName {
            if clusterIP == old.clusterIP { clusterIP = "" }
            if clusterIPs == old.clusterIPs { clusterIPs = [] }
            if families == old.families { families = [] }
            if familyPolicy == old.familyPolicy { familyPolicy = nil }
        }
        if old.hasNodePorts, !hasNodePorts {
            let before = Set(old.ports.map(\.nodePort))
            ports = ports.map { port in
                var port = port
                if before.contains(port.nodePort) { port.nodePort = 0 }
                return port
            }
        }
        if old.wantsHealthCheckPort, !wantsHealthCheckPort, healthCheckNodePort == old.healthCheckNodePort {
            healthCheckNodePort = 0
        }
        if old.type == "LoadBalancer", type != "LoadBalancer" {
            for key in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] where json[key] == old.json[key] {
                json[key] = nil
            }
        }
        if old.isExternallyAccessible, !isExternallyAccessible,
            json["externalTrafficPolicy"] == old.json["externalTrafficPolicy"]
        {
            json["externalTrafficPolicy"] = nil
        }
        if isExternalName, json["internalTrafficPolicy"] == old.json["internalTrafficPolicy"] {
            json["internalTrafficPolicy"] = nil
        }
    }
}
