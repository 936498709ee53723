import ClusterModel
import ClusterStore
import ControlPlane
import NetTypes
import Testing

/// Semantics 2.1 field by field, beyond what ``ServiceAdmissionTests`` has.
@Suite("2.1 every field of a Service")
struct ServiceFieldTests {
    private let cluster: Cluster

    init() throws { cluster = try Cluster() }

    private static let ports: JSONValue = [["port": 80]]

    private static func spec(_ fields: [String: JSONValue]) -> JSONValue {
        .object(["ports": ports].merging(fields) { $1 })
    }

    @Test(
        "refusals, word for word",
        arguments: [
            (
                [
                    "type": "NodePort",
                    "ports": [
                        ["name": "a", "port": 80, "nodePort": 30080], ["name": "b", "port": 81, "nodePort": 30080],
                    ],
                ],
                "spec.ports[1].nodePort: Duplicate value: 30080"
            ),
            (
                ["ports": [["port": 80, "appProtocol": "a/b/c"]]],
                "spec.ports[0].appProtocol: Invalid value: \"a/b/c\": a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ),
            (
                ["ports": [["port": 80, "targetPort": "a-name-that-is-too-long"]]],
                #"spec.ports[0].targetPort: Invalid value: "a-name-that-is-too-long": must be no more than 15 characters"#
            ),
            (
                ["ports": [["port": 80, "targetPort": 65536]]],
                "spec.ports[0].targetPort: Invalid value: 65536: must be between 1 and 65535, inclusive"
            ),
            (
                ["externalIPs": ["10.0.0"]],
                #"spec.externalIPs[0]: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#
            ),
            (
                ["externalIPs": ["0.0.0.0"]],
                #"spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)"#
            ),
            (
                ["externalIPs": ["192.0.2.1", "169.254.1.1"]],
                #"spec.externalIPs[1]: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)"#
            ),
            (
                ["externalIPs": ["ff02::1"]],
                #"spec.externalIPs[0]: Invalid value: "ff02::1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"#
            ),
            (
                ["type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8 ", "10.0.0.0"]],
                #"spec.LoadBalancerSourceRanges[1]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"#
            ),
            (
                ["loadBalancerClass": "example.com/lb"],
                "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"
            ),
            (
                ["type": "NodePort", "allocateLoadBalancerNodePorts": true],
                "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"
            ),
            (
                ["type": "NodePort", "externalTrafficPolicy": "local"],
                #"spec.externalTrafficPolicy: Unsupported value: "local": supported values: "Cluster", "Local""#
            ),
            (
                ["internalTrafficPolicy": "Node"],
                #"spec.internalTrafficPolicy: Unsupported value: "Node": supported values: "Cluster", "Local""#
            ),
            (
                ["type": "LoadBalancer", "healthCheckNodePort": 30500],
                "spec.healthCheckNodePort: Invalid value: 30500: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
            ),
            (
                ["trafficDistribution": "Near"],
                #"spec.trafficDistribution: Unsupported value: "Near": supported values: "PreferClose", "PreferSameNode", "PreferSameZone""#
            ),
            (
                ["type": "LoadBalancer", "clusterIP": "None"],
                #"spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for LoadBalancer services"#
            ),
            (
                ["type": "ExternalName", "externalName": "a_b"],
                #"spec.externalName: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#
            ),
            (["type": "ExternalName", "externalName": "."], "spec.externalName: Required value"),
            (
                ["type": "ExternalName", "externalName": "a.example", "clusterIP": "10.96.0.9"],
                "spec.clusterIPs: Forbidden: may not be set for ExternalName services"
            ),
            (
                ["type": "ExternalName", "externalName": "a.example", "ipFamilyPolicy": "SingleStack"],
                "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services"
            ),
            (
                ["selector": ["app": "-"]],
                #"spec.selector: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"#
            ),
        ] as [([String: JSONValue], String)])
    func refusals(fields: [String: JSONValue], expected: String) {
        #expect(cluster.refusal(Self.spec(fields)) == "Service \"quote\" is invalid: \(expected)")
    }

    @Test("all that is wrong is said, in the API server's order")
    func several() {
        #expect(
            cluster.refusal([
                "type": "Foo", "sessionAffinity": "x", "externalIPs": ["x"], "ports": [["port": 0, "targetPort": 1]],
            ])
                == #"Service "quote" is invalid: [spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, spec.sessionAffinity: Unsupported value: "x": supported values: "ClientIP", "None", spec.externalIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]"#
        )
    }

    @Test("targetPort is the port when it is absent, 0 or empty; a name stays; headless Services may have one")
    func targetPort() throws {
        func target(_ value: JSONValue?, headless: Bool = false) throws -> JSONValue? {
            var port: JSONValue = ["port": 80]
            port["targetPort"] = value
            var object = Cluster.service("t", ["ports": [port]])
            if headless { object.json["spec"]?["clusterIP"] = "None" }
            defer { _ = try? cluster.store.delete(object.key) }
            return try cluster.store.create(object).json["spec"]?["ports"]?[0]?["targetPort"]
        }
        for value in [nil, 0, ""] as [JSONValue?] { #expect(try target(value) == 80) }
        #expect(try target("http") == "http")
        #expect(try target(8080, headless: true) == 8080)
    }

    @Test(
        "an external name keeps its dot, and one that looks like an address passes; the type has neither policy nor family"
    )
    func externalName() throws {
        for name in ["worldtimeapi.org.", "1.2.3.4"] {
            let object = Cluster.service("e", ["type": "ExternalName", "externalName": .string(name)])
            let spec = try #require(try cluster.store.create(object).json["spec"])
            #expect(spec["externalName"] == .string(name))
            for key in [
                "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy",
                "externalTrafficPolicy",
            ] { #expect(spec[key] == nil, "\(key)") }
            _ = try cluster.store.delete(object.key)
        }
    }

    @Test("external addresses make a ClusterIP Service reachable from outside: it gets externalTrafficPolicy")
    func externalAddresses() throws {
        let made = try cluster.store.create(Cluster.service("x", Self.spec(["externalIPs": ["192.0.2.1"]])))
        #expect(made.json["spec"]?["externalTrafficPolicy"] == "Cluster")
        #expect(
            cluster.refusal(Self.spec(["externalIPs": ["192.0.2.2"], "externalTrafficPolicy": "Local"])) == "created")
    }

    @Test("LoadBalancer: node ports unless it says no, explicit ones all the same, and a health check port with Local")
    func loadBalancer() throws {
        func made(_ fields: [String: JSONValue]) throws -> JSONValue {
            let object = Cluster.service("lb", Self.spec(fields.merging(["type": "LoadBalancer"]) { $1 }))
            defer { _ = try? cluster.store.delete(object.key) }
            return try #require(try cluster.store.create(object).json["spec"])
        }
        let plain = try made([:])
        #expect(plain["allocateLoadBalancerNodePorts"] == true && plain["healthCheckNodePort"] == nil)
        #expect(plain["ports"]?[0]?["nodePort"] != nil && plain["externalTrafficPolicy"] == "Cluster")
        let bare = try made(["allocateLoadBalancerNodePorts": false])
        #expect(bare["ports"]?[0]?["nodePort"] == nil)
        let explicit = try made([
            "allocateLoadBalancerNodePorts": false, "ports": [["port": 80, "nodePort": 30081]],
        ])
        #expect(explicit["ports"]?[0]?["nodePort"] == 30081)
        let local = try made(["externalTrafficPolicy": "Local", "allocateLoadBalancerNodePorts": false])
        #expect((30000...32767).contains(local["healthCheckNodePort"]?.intValue ?? 0))
    }

    @Test("topology annotations must agree when both are set")
    func annotations() {
        var service = Cluster.service("quote", Self.spec([:]))
        service.annotations = [
            "service.kubernetes.io/topology-mode": "Auto", "service.kubernetes.io/topology-aware-hints": "Disabled",
        ]
        let error = #expect(throws: APIError.self) { try cluster.store.create(service) }
        #expect(
            error?.message
                == #"Service "quote" is invalid: metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "Auto": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified"#
        )
        service.annotations["service.kubernetes.io/topology-aware-hints"] = "Auto"
        #expect(throws: Never.self) { try cluster.store.create(service) }
    }

    @Test("1.1 annotations are limited together, and their keys are looked at in small letters")
    func annotationSize() {
        var service = Cluster.service("quote", Self.spec([:]))
        service.annotations = ["Example.COM/Note": String(repeating: "x", count: 262_144)]
        let error = #expect(throws: APIError.self) { try cluster.store.create(service) }
        #expect(
            error?.message
                == #"Service "quote" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes"#)
        service.annotations = ["Example.COM/Note": "x"]
        #expect(throws: Never.self) { try cluster.store.create(service) }
    }
}

@Suite("2.9 what a load balancer writes")
struct LoadBalancerStatusTests {
    private let cluster: Cluster

    init() throws {
        cluster = try Cluster()
        _ = try cluster.store.create(Cluster.service("lb", ["type": "LoadBalancer", "ports": [["port": 80]]]))
        _ = try cluster.store.create(Cluster.service("inner", ["ports": [["port": 80]]]))
    }

    private func write(_ ingress: JSONValue, to name: String = "lb") throws -> JSONValue? {
        var object = try #require(cluster.store.get(ObjectKey(.services, namespace: "kiada", name: name)))
        object.json["status"] = ["loadBalancer": ["ingress": ingress]]
        return try cluster.store.updateStatus(object).json["status"]?["loadBalancer"]?["ingress"]
    }

    @Test("an address without ipMode is captured by the proxy; names have no mode")
    func mode() throws {
        #expect(
            try write([["ip": "192.0.2.1"], ["ip": "192.0.2.2", "ipMode": "Proxy"], ["hostname": "lb.example"]])
                == [
                    ["ip": "192.0.2.1", "ipMode": "VIP"], ["ip": "192.0.2.2", "ipMode": "Proxy"],
                    ["hostname": "lb.example"],
                ])
    }

    @Test(
        "what is refused",
        arguments: [
            (
                "lb", [["ip": "x"]],
                #"status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address"#
            ),
            (
                "lb", [["hostname": "1.2.3.4"]],
                #"status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address"#
            ),
            (
                "lb", [["ip": "192.0.2.1", "ipMode": "Other"]],
                #"status.loadBalancer.ingress[0].ipMode: Unsupported value: "Other": supported values: "Proxy", "VIP""#
            ),
            (
                "lb", [["ipMode": "VIP", "hostname": "lb.example"]],
                "status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set"
            ),
            (
                "inner", [["ip": "192.0.2.1"]],
                #"status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "LoadBalancer""#
            ),
        ] as [(String, JSONValue, String)])
    func refused(name: String, ingress: JSONValue, message: String) {
        let error = #expect(throws: APIError.self) { try write(ingress, to: name) }
        #expect(error?.message == "Service \"\(name)\" is invalid: \(message)")
    }

    @Test("2.8, 2.9 it is cleared when the Service is no LoadBalancer any more")
    func cleared() throws {
        _ = try write([["ip": "192.0.2.1"]])
        for (type, spec) in [
            ("NodePort", ["ports": [["port": 80]]]), ("ClusterIP", ["ports": [["port": 80]]]),
            ("ExternalName", ["externalName": "a.example"]),
        ] as [(String, JSONValue)] {
            var changed = spec
            changed["type"] = .string(type)
            let updated = try cluster.store.update(Cluster.service("lb", changed))
            #expect(updated.json["status"] == ["loadBalancer": [:]])
        }
    }
}
