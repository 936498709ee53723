package import NetTypes

/// The four types of Service.
package enum ServiceType: String, Hashable, Sendable, CaseIterable {
    case clusterIP = "ClusterIP"
    case externalName = "ExternalName"
    case loadBalancer = "LoadBalancer"
    case nodePort = "NodePort"
}

/// Whether only endpoints of the own node are used.
package enum TrafficPolicy: String, Hashable, Sendable, CaseIterable {
    case cluster = "Cluster"
    case local = "Local"
}

/// One port of a Service.
package struct ServicePort: Hashable, Sendable {
    /// Empty for an unnamed port; endpoints match by this name only (3.4).
    package let name: String
    package let proto: TransportProtocol
    package let port: UInt16
    package let targetPort: IntOrString
    package let nodePort: UInt16?
    package let appProtocol: String?
}

/// An address that a load balancer has given to a Service (2.9).
package struct LoadBalancerIngress: Hashable, Sendable {
    package let ip: IPAddress?
    package let hostname: String?
    /// False for ipMode Proxy: the proxy installs nothing for the address.
    package let isVIP: Bool
}

/// A Service, read once from its JSON object, after defaulting.
package struct Service: Sendable, Equatable {
    package let object: KubeObject
    package let name: String
    package let namespace: String
    package let type: ServiceType
    /// `["None"]` for a headless Service; primary first.
    package let clusterIPs: [String]
    /// nil: nobody manages the endpoints.
    package let selector: [String: String]?
    package let ports: [ServicePort]
    /// How long a client stays with its endpoint; nil without affinity.
    package let sessionAffinityTimeout: Duration?
    package let externalTrafficPolicy: TrafficPolicy
    package let internalTrafficPolicy: TrafficPolicy
    package let externalIPs: [IPAddress]
    package let loadBalancerIP: IPAddress?
    package let loadBalancerClass: String?
    package let loadBalancerSourceRanges: [CIDR]
    package let loadBalancerIngress: [LoadBalancerIngress]
    package let healthCheckNodePort: UInt16?
    package let publishNotReadyAddresses: Bool
    package let externalName: String?
    package let ipFamilies: [IPFamily]

    /// Reads `object`, which should be valid; entries that cannot be read are left out.
    package init(_ object: KubeObject) {
        self.object = object
        name = object.name
        namespace = object.namespace
        let spec = object.json["spec"] ?? [:]
        type = spec["type"]?.stringValue.flatMap(ServiceType.init) ?? .clusterIP
        let single = spec["clusterIP"]?.stringValue?.nilIfEmpty
        clusterIPs = spec["clusterIPs"]?.strings ?? single.map { [$0] } ?? []
        selector = spec["selector"]?.stringMap.flatMap { $0.isEmpty ? nil : $0 }
        ports = (spec["ports"]?.arrayValue ?? []).compactMap(ServicePort.init)
        if spec["sessionAffinity"]?.stringValue == "ClientIP" {
            let seconds = spec["sessionAffinityConfig"]?["clientIP"]?["timeoutSeconds"]?.intValue ?? 10800
            sessionAffinityTimeout = .seconds(seconds)
        } else {
            sessionAffinityTimeout = nil
        }
        externalTrafficPolicy = spec["externalTrafficPolicy"]?.stringValue.flatMap(TrafficPolicy.init) ?? .cluster
        internalTrafficPolicy = spec["internalTrafficPolicy"]?.stringValue.flatMap(TrafficPolicy.init) ?? .cluster
        externalIPs = (spec["externalIPs"]?.strings ?? []).compactMap { IPAddress($0) }
        loadBalancerIP = spec["loadBalancerIP"]?.stringValue.flatMap { IPAddress($0) }
        loadBalancerClass = spec["loadBalancerClass"]?.stringValue
        loadBalancerSourceRanges = (spec["loadBalancerSourceRanges"]?.strings ?? []).compactMap { text in
            CIDR(text.filter { $0 != " " })
        }
        let ingress = object.json["status"]?["loadBalancer"]?["ingress"]?.arrayValue ?? []
        loadBalancerIngress = ingress.map { entry in
            LoadBalancerIngress(
                ip: entry["ip"]?.stringValue.flatMap { IPAddress($0) }, hostname: entry["hostname"]?.stringValue,
                isVIP: entry["ipMode"]?.stringValue != "Proxy")
        }
        healthCheckNodePort = spec["healthCheckNodePort"]?.intValue.flatMap(UInt16.init(exactly:))
        publishNotReadyAddresses = spec["publishNotReadyAddresses"]?.boolValue ?? false
        externalName = spec["externalName"]?.stringValue?.nilIfEmpty
        ipFamilies = (spec["ipFamilies"]?.strings ?? []).compactMap(IPFamily.init)
    }

    /// No cluster IP, but a name that leads to all endpoints (2.2).
    package var isHeadless: Bool { clusterIPs == ["None"] }

    /// The cluster IPs that are addresses.
    package var clusterAddresses: [IPAddress] { clusterIPs.compactMap { IPAddress($0) } }
}

extension ServicePort {
    fileprivate init?(_ json: JSONValue) {
        guard let port = json["port"]?.intValue.flatMap(UInt16.init(exactly:)) else { return nil }
        self.port = port
        name = json["name"]?.stringValue ?? ""
        proto = json["protocol"]?.stringValue.flatMap(TransportProtocol.init) ?? .tcp
        targetPort = IntOrString(json["targetPort"]) ?? .int(Int(port))
        nodePort = json["nodePort"]?.intValue.flatMap(UInt16.init(exactly:)).flatMap { $0 == 0 ? nil : $0 }
        appProtocol = json["appProtocol"]?.stringValue
    }
}
