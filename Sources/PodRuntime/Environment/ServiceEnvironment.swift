package import ClusterModel
import NetTypes

/// The variables by which a container finds Services, as the kubelet makes them (semantics 5.1-5.3).
package enum ServiceEnvironment {
    /// The variables for a container that starts now.
    ///
    /// - Parameters:
    ///   - services: all Services of the cluster, in any order.
    ///   - namespace: the pod's namespace.
    ///   - enableServiceLinks: false leaves only those of the Service `kubernetes`.
    /// - Returns: Services sorted by name, the variables of each in the order of rule 5.2.
    package static func variables(
        for services: [Service], namespace: String, enableServiceLinks: Bool
    ) -> [(name: String, value: String)] {
        var chosen: [String: Service] = [:]
        for service in services where hasClusterIP(service) {
            if service.namespace == namespace, enableServiceLinks || service.name == "kubernetes" {
                chosen[service.name] = service
            } else if service.namespace == "default", service.name == "kubernetes", chosen["kubernetes"] == nil {
                chosen["kubernetes"] = service
            }
        }
        return chosen.values.sorted { $0.name < $1.name }.flatMap(variables)
    }

    private static func hasClusterIP(_ service: Service) -> Bool {
        guard let address = service.clusterIPs.first else { return false }
        return service.type != .externalName && address != "None" && !address.isEmpty && !service.ports.isEmpty
    }

    private static func variables(of service: Service) -> [(name: String, value: String)] {
        guard let address = service.clusterIPs.first, let first = service.ports.first else { return [] }
        let prefix = mangled(service.name)
        let host = address.contains(":") ? "[\(address)]" : address
        func url(_ port: ServicePort) -> String { "\(port.proto.rawValue.lowercased())://\(host):\(port.port)" }

        var result = [("\(prefix)_SERVICE_HOST", address), ("\(prefix)_SERVICE_PORT", "\(first.port)")]
        for port in service.ports {
            guard !port.name.isEmpty else { continue }
            result.append(("\(prefix)_SERVICE_PORT_\(mangled(port.name))", "\(port.port)"))
        }
        result.append(("\(prefix)_PORT", url(first)))
        for port in service.ports {
            let stem = "\(prefix)_PORT_\(port.port)_\(port.proto.rawValue)"
            result.append((stem, url(port)))
            result.append(("\(stem)_PROTO", port.proto.rawValue.lowercased()))
            result.append(("\(stem)_PORT", "\(port.port)"))
            result.append(("\(stem)_ADDR", address))
        }
        return result.map { (name: $0.0, value: $0.1) }
    }

    private static func mangled(_ name: String) -> String {
        name.uppercased().replacing("-", with: "_")
    }
}
