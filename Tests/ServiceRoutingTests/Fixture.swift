import ClusterModel
import NetTypes
import ServiceRouting

/// Address plan: cluster IP 10.96.0.20, VIP 127.80.0.1, node "here" 127.18.0.2, pods 10.244.0.x here and 10.244.1.x there.
enum Fixture {
    static let id = ServiceID(namespace: "kiada", name: "quote")
    static let cluster = frontend("10.96.0.20", 80)
    static let vip = frontend("127.80.0.1", 80)
    static let nodePort = frontend("127.18.0.2", 30080)

    static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .v4(IPv4Address(bits: 0)) }

    static func frontend(_ text: String, _ port: UInt16) -> Frontend {
        Frontend(SocketEndpoint(address: address(text), port: port), .tcp)
    }

    static var options: RoutingOptions {
        RoutingOptions(
            nodeName: "here", zone: "a", nodeAddresses: [address("127.18.0.2")],
            nodePortAddresses: [address("127.18.0.2")], podRanges: ["10.244.0.0/16"].compactMap { CIDR($0) },
            publishAddress: address("127.0.0.1"))
    }

    static func service(
        name: String = "quote", type: String = "ClusterIP", ip: JSONValue = "10.96.0.20",
        spec extra: [String: JSONValue] = [:], labels: [String: String] = [:], ipMode: String = "VIP"
    ) -> Service {
        var object = KubeObject(.services, namespace: "kiada", name: name)
        object.labels = labels
        var port: JSONValue = ["name": "http", "protocol": "TCP", "port": .integer(80), "targetPort": .integer(8080)]
        if type != "ClusterIP" { port["nodePort"] = .integer(30080) }
        var spec: JSONValue = [
            "type": .string(type), "clusterIP": ip, "clusterIPs": .array([ip]), "ports": .array([port]),
        ]
        for (key, value) in extra { spec[key] = value }
        object.json["spec"] = spec
        if type == "LoadBalancer" {
            object.json["status"] = [
                "loadBalancer": ["ingress": .array([["ip": "127.80.0.1", "ipMode": .string(ipMode)]])]
            ]
        }
        return Service(object)
    }

    /// An endpoint of a slice; `T/T/F` are ready, serving and terminating.
    static func pod(
        _ address: String, node: String = "here", _ ready: Bool = true, _ serving: Bool = true,
        _ terminating: Bool = false, zones: [String] = [], nodes: [String] = []
    ) -> JSONValue {
        [
            "addresses": .array([.string(address)]), "nodeName": .string(node),
            "conditions": ["ready": .bool(ready), "serving": .bool(serving), "terminating": .bool(terminating)],
            "hints": [
                "forZones": .array(zones.map { ["name": .string($0)] }),
                "forNodes": .array(nodes.map { ["name": .string($0)] }),
            ],
        ]
    }

    static func slice(_ pods: [JSONValue], portName: String = "http") -> EndpointSlice {
        var object = KubeObject(.endpointslices, namespace: "kiada", name: "quote-abcde")
        object.labels = [EndpointSlice.serviceNameLabel: "quote"]
        object.json["addressType"] = "IPv4"
        object.json["ports"] = .array([["name": .string(portName), "protocol": "TCP", "port": .integer(8080)]])
        object.json["endpoints"] = .array(pods)
        return EndpointSlice(object)
    }

    static func table(_ service: Service, _ pods: [JSONValue]) -> RoutingTable {
        RoutingTable(services: [service], slices: [slice(pods)], options: options)
    }

    static func hosts(_ verdict: Verdict?) -> [String] { (verdict?.endpoints ?? []).map { "\($0.address.address)" } }
}
