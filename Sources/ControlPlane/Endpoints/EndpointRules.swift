import ClusterModel
import NetTypes

/// Which pods are endpoints of a Service, and how (semantics 3.2 to 3.5).
enum EndpointRules {
    /// The endpoints of `service` among `pods`, which its selector picks, by what can share a slice.
    ///
    /// - Parameter node: the node of a name; nil when there is no such node.
    static func endpoints(
        of service: Service, pods: [EndpointPod], node: (String) -> Node?
    ) -> [SliceGroup: [SliceEndpoint]] {
        var groups: [SliceGroup: [SliceEndpoint]] = [:]
        for pod in pods where isIn(pod, service, node) {
            let ports = ports(of: pod, for: service)
            for family in families(of: service) {
                let addresses = pod.addresses.filter { $0.family == family }
                guard !addresses.isEmpty else { continue }
                groups[SliceGroup(family: family, ports: ports), default: []].append(
                    endpoint(pod, addresses, service, pod.nodeName.flatMap(node)))
            }
        }
        return groups
    }

    static func families(of service: Service) -> [IPFamily] { service.ipFamilies.isEmpty ? [.v4] : service.ipFamilies }

    private static func isIn(_ pod: EndpointPod, _ service: Service, _ node: (String) -> Node?) -> Bool {
        guard !pod.isOver, !pod.addresses.isEmpty else { return false }
        if let name = pod.nodeName, node(name) == nil { return service.publishNotReadyAddresses }
        return true
    }

    private static func endpoint(_ pod: EndpointPod, _ addresses: [IPAddress], _ service: Service, _ node: Node?)
        -> SliceEndpoint
    {
        let isReady = service.publishNotReadyAddresses || (pod.isServing && !pod.isTerminating)
        let texts = addresses.map(\.description)
        var json: JSONValue = [
            "addresses": .array(texts.map { .string($0) }),
            "conditions": [
                "ready": .bool(isReady), "serving": .bool(pod.isServing), "terminating": .bool(pod.isTerminating),
            ],
            "targetRef": [
                "kind": "Pod", "namespace": .string(pod.namespace), "name": .string(pod.name), "uid": .string(pod.uid),
            ],
        ]
        json["nodeName"] = pod.nodeName.map { .string($0) }
        json["zone"] = node?.zone.map { .string($0) }
        if let hostname = pod.hostname, pod.subdomain == service.name { json["hostname"] = .string(hostname) }
        json["hints"] = hints(service, pod, node, isReady: isReady)
        return SliceEndpoint(identity: texts.joined(separator: ",") + " " + pod.uid, json: json)
    }

    /// Those of `trafficDistribution` (3.10a).
    private static func hints(_ service: Service, _ pod: EndpointPod, _ node: Node?, isReady: Bool) -> JSONValue? {
        guard let distribution = service.object.json["spec"]?["trafficDistribution"]?.stringValue, isReady,
            let zone = node?.zone, !TopologyHints.isWanted(by: service)
        else { return nil }
        var hints: JSONValue = ["forZones": [["name": .string(zone)]]]
        if distribution == "PreferSameNode", let name = pod.nodeName {
            hints["forNodes"] = [["name": .string(name)]]
        }
        return hints
    }

    /// The Service's ports as they are at this pod; those that it does not have are left out (3.4).
    static func ports(of pod: EndpointPod, for service: Service) -> [SlicePort] {
        service.ports.compactMap { port in
            number(of: port, at: pod).map {
                SlicePort(name: port.name, proto: port.proto, port: $0, appProtocol: port.appProtocol)
            }
        }
        .sorted()
    }

    private static func number(of port: ServicePort, at pod: EndpointPod) -> UInt16? {
        switch port.targetPort {
        case .int(let number): UInt16(exactly: number)
        case .string(let name): pod.port(named: name, port.proto)
        }
    }
}
