import ClusterModel
import ClusterStore
import ControlPlane
import NetTypes
import Testing

@Suite("2 Service spec: defaults and validation")
struct ServiceAdmissionTests {
    let cluster: Cluster

    init() throws { cluster = try Cluster() }

    private func refusal(_ spec: JSONValue, name: String = "quote") -> String { cluster.refusal(spec, name: name) }

    @Test("S2, 2.1 defaults of the smallest Service")
    func defaults() throws {
        let made = try cluster.store.create(
            Cluster.service("quote", ["selector": ["app": "quote"], "ports": [["port": 80]]]))
        let spec = try #require(made.json["spec"])
        #expect(spec["type"] == "ClusterIP")
        #expect(spec["sessionAffinity"] == "None")
        #expect(spec["internalTrafficPolicy"] == "Cluster")
        #expect(spec["externalTrafficPolicy"] == nil)
        #expect(spec["ipFamilies"] == ["IPv4"])
        #expect(spec["ipFamilyPolicy"] == "SingleStack")
        #expect(spec["ports"] == [["port": 80, "protocol": "TCP", "targetPort": 80]])
        let address = try #require(spec["clusterIP"]?.stringValue.flatMap { IPAddress($0) })
        #expect(spec["clusterIPs"] == [.string(address.description)])
        #expect(try #require(CIDR("10.96.0.0/16")).contains(address))
    }

    @Test(
        "2.1 refusals, word for word",
        arguments: [
            (
                ["type": "Foo", "ports": [["port": 80]]],
                #"spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort""#
            ),
            (["selector": ["app": "quote"]], "spec.ports: Required value"),
            (
                ["ports": [["port": 0, "targetPort": 80]]],
                "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"
            ),
            (
                ["ports": [["port": 80, "protocol": "tcp"]]],
                #"spec.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP""#
            ),
            (
                ["ports": [["name": "http", "port": 80], ["name": "http", "port": 81]]],
                #"spec.ports[1].name: Duplicate value: "http""#
            ),
            (
                ["ports": [["port": 80, "nodePort": 30080]]],
                "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"
            ),
            (
                ["ports": [["port": 80]], "sessionAffinity": "Cookie"],
                #"spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None""#
            ),
            (
                [
                    "ports": [["port": 80]], "sessionAffinity": "ClientIP",
                    "sessionAffinityConfig": ["clientIP": ["timeoutSeconds": 0]],
                ],
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400"
            ),
            (["type": "ExternalName"], "spec.externalName: Required value"),
            (
                ["ports": [["port": 80]], "externalIPs": ["127.0.0.1"]],
                #"spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#
            ),
            (
                ["ports": [["port": 80]], "loadBalancerSourceRanges": ["10.0.0.0/8"]],
                "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"
            ),
            (
                ["ports": [["port": 80]], "externalTrafficPolicy": "Local"],
                #"spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services"#
            ),
            (
                ["type": "NodePort", "ports": [["port": 80]], "clusterIP": "None"],
                #"spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services"#
            ),
            (
                ["ports": [["port": 80, "name": "A_B"]]],
                #"spec.ports[0].name: Invalid value: "A_B": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"#
            ),
        ] as [(JSONValue, String)])
    func refusals(spec: JSONValue, expected: String) {
        #expect(refusal(spec) == "Service \"quote\" is invalid: \(expected)")
    }

    @Test("S4 two ports without names")
    func unnamedPorts() {
        #expect(
            refusal(["ports": [["port": 80], ["port": 81]]])
                == "Service \"quote\" is invalid: [spec.ports[0].name: Required value, spec.ports[1].name: Required value]"
        )
    }

    @Test("2.1 the same port twice")
    func duplicatePort() {
        let text = refusal(["ports": [["name": "a", "port": 80], ["name": "b", "port": 80]]])
        #expect(
            text.contains(#"spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80"#)
        )
    }

    @Test("1.10 [V] a name that begins with a digit")
    func name() {
        #expect(
            refusal(["ports": [["port": 80]]], name: "1quiz")
                == #"Service "1quiz" is invalid: metadata.name: Invalid value: "1quiz": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"#
        )
    }

    @Test("2.1, S33 affinity: 10800 s by default, 86400 is accepted, None drops the config")
    func affinity() throws {
        let spec: JSONValue = ["ports": [["port": 80]], "sessionAffinity": "ClientIP"]
        let made = try cluster.store.create(Cluster.service("a", spec))
        #expect(made.json["spec"]?["sessionAffinityConfig"]?["clientIP"]?["timeoutSeconds"] == 10800)
        #expect(
            refusal([
                "ports": [["port": 80]], "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": ["clientIP": ["timeoutSeconds": 86400]],
            ]) == "created")
        let none = try cluster.store.create(
            Cluster.service(
                "b",
                [
                    "ports": [["port": 80]], "sessionAffinity": "None",
                    "sessionAffinityConfig": ["clientIP": ["timeoutSeconds": 5]],
                ]))
        #expect(none.json["spec"]?["sessionAffinityConfig"] == nil)
    }

    @Test("2.2 a headless Service may do without ports and gets no address")
    func headless() throws {
        let made = try cluster.store.create(
            Cluster.service("quote-headless", ["clusterIP": "None", "selector": ["app": "quote"]]))
        #expect(made.json["spec"]?["clusterIPs"] == ["None"])
        #expect(made.json["spec"]?["ipFamilyPolicy"] == "SingleStack")
    }

    @Test("1.3 a status sent by the user is discarded")
    func status() throws {
        var object = Cluster.service("quote", ["ports": [["port": 80]]])
        object.json["status"] = ["loadBalancer": ["ingress": [["ip": "1.2.3.4"]]]]
        let made = try cluster.store.create(object)
        #expect(made.json["status"] == ["loadBalancer": [:]])
    }
}

@Suite("2.3 to 2.6 allocation")
struct ServiceAllocationTests {
    let cluster: Cluster

    init() throws { cluster = try Cluster() }

    private func create(_ name: String, _ spec: JSONValue) throws -> JSONValue {
        try #require(try cluster.store.create(Cluster.service(name, spec)).json["spec"])
    }

    @Test("2.3 an explicit address, taken and out of range")
    func explicitAddress() throws {
        _ = try create("a", ["clusterIP": "10.96.0.20", "ports": [["port": 80]]])
        #expect(
            cluster.refusal(["clusterIP": "10.96.0.20", "ports": [["port": 80]]])
                == #"Service "quote" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.20"]: failed to allocate IP 10.96.0.20: provided IP is already allocated"#
        )
        #expect(
            cluster.refusal(["clusterIP": "10.97.0.1", "ports": [["port": 80]]])
                == #"Service "quote" is invalid: spec.clusterIPs: Invalid value: ["10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided IP (10.97.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16"#
        )
    }

    @Test("2.3 a full range is an internal error, and a deleted Service makes room")
    func fullRange() throws {
        let small = try Cluster(["10.0.0.0/30"])
        _ = try small.store.create(Cluster.service("a", ["ports": [["port": 80]]]))
        _ = try small.store.create(Cluster.service("b", ["ports": [["port": 80]]]))
        #expect(
            small.refusal(["ports": [["port": 80]]])
                == "Internal error occurred: failed to allocate a serviceIP: range is full")
        _ = try small.store.delete(ObjectKey(.services, namespace: "kiada", name: "a"))
        #expect(small.refusal(["ports": [["port": 80]]]) == "created")
    }

    @Test("2.4 one port number on two transports shares a node port at creation")
    func sharedNodePort() throws {
        let spec = try create(
            "dns",
            [
                "type": "NodePort",
                "ports": [
                    ["name": "udp", "port": 53, "protocol": "UDP"], ["name": "tcp", "port": 53, "protocol": "TCP"],
                ],
            ])
        #expect(spec["ports"]?[0]?["nodePort"] == spec["ports"]?[1]?["nodePort"])
    }

    @Test("2.4 node ports: taken, also by another transport, and out of range")
    func nodePortErrors() throws {
        _ = try create("a", ["type": "NodePort", "ports": [["port": 80, "nodePort": 30080]]])
        #expect(
            cluster.refusal(["type": "NodePort", "ports": [["port": 80, "protocol": "UDP", "nodePort": 30080]]])
                == #"Service "quote" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated"#
        )
        #expect(
            cluster.refusal(["type": "NodePort", "ports": [["port": 80, "nodePort": 80]]])
                == #"Service "quote" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767"#
        )
    }

    @Test("2.5 all or nothing: a refused node port leaves the address free")
    func allOrNothing() throws {
        _ = try create("a", ["type": "NodePort", "ports": [["port": 80, "nodePort": 30080]]])
        let spec: JSONValue = [
            "type": "NodePort", "clusterIP": "10.96.0.30", "ports": [["port": 80, "nodePort": 30080]],
        ]
        #expect(cluster.refusal(spec) != "created")
        #expect(cluster.refusal(["clusterIP": "10.96.0.30", "ports": [["port": 80]]]) == "created")
    }

    @Test("2.5 a dry run takes nothing")
    func dryRun() throws {
        let service = Cluster.service("quote", ["clusterIP": "10.96.0.40", "ports": [["port": 80]]])
        _ = try cluster.store.create(service, isDryRun: true)
        _ = try cluster.store.create(service)
    }

    @Test("2.6, S6 the same manifest again keeps address and node ports")
    func reapply() throws {
        let spec: JSONValue = ["type": "LoadBalancer", "ports": [["name": "http", "port": 80]]]
        let first = try create("kiada", spec)
        let second = try #require(try cluster.store.update(Cluster.service("kiada", spec)).json["spec"])
        #expect(first == second)
        #expect(first["ports"]?[0]?["nodePort"]?.intValue ?? 0 >= 30086)
    }

    @Test("2.7 the address cannot be changed")
    func immutable() throws {
        let spec = try create("quote", ["ports": [["port": 80]]])
        _ = spec
        #expect(
            cluster.updateRefusal(Cluster.service("quote", ["clusterIP": "10.96.9.9", "ports": [["port": 80]]]))
                == #"Service "quote" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.9.9"]: may not change once set"#
        )
        #expect(
            cluster.updateRefusal(Cluster.service("quote", ["clusterIP": "None", "ports": [["port": 80]]])).contains(
                "may not change once set"))
    }

    @Test("2.8 through all types and back")
    func typeChanges() throws {
        let ports: JSONValue = [["name": "http", "port": 80]]
        let first = try create("kiada", ["ports": ports])
        func change(_ spec: JSONValue) throws -> JSONValue {
            try #require(try cluster.store.update(Cluster.service("kiada", spec)).json["spec"])
        }
        let node = try change(["type": "NodePort", "ports": ports])
        #expect(node["clusterIP"] == first["clusterIP"])
        #expect(node["externalTrafficPolicy"] == "Cluster")
        let nodePort = try #require(node["ports"]?[0]?["nodePort"]?.intValue)
        let balancer = try change(["type": "LoadBalancer", "ports": ports])
        #expect(balancer["ports"]?[0]?["nodePort"]?.intValue == nodePort)
        #expect(balancer["allocateLoadBalancerNodePorts"] == true)
        let back = try change(["type": "NodePort", "ports": ports])
        #expect(back["allocateLoadBalancerNodePorts"] == nil)
        #expect(back["ports"]?[0]?["nodePort"]?.intValue == nodePort)
        let inner = try change(["type": "ClusterIP", "ports": ports])
        #expect(inner["ports"]?[0]?["nodePort"] == nil)
        #expect(inner["externalTrafficPolicy"] == nil)
        #expect(inner["clusterIP"] == first["clusterIP"])
        let external = try change(["type": "ExternalName", "externalName": "example.com", "ports": ports])
        #expect(external["clusterIP"] == nil && external["ipFamilies"] == nil)
        // Its address is free now.
        let taken = try create("other", ["clusterIP": first["clusterIP"] ?? "", "ports": ports])
        #expect(taken["clusterIP"] == first["clusterIP"])
        let again = try change(["ports": ports])
        #expect(again["clusterIP"] != first["clusterIP"])
    }
}

@Suite("9 dual stack")
struct DualStackTests {
    private static let dual = ["10.96.0.0/16", "fd00:10:96::/112"]
    private static let single = ["10.96.0.0/16"]

    @Test(
        "9.2 [V] families and addresses",
        arguments: [
            ([:], ["IPv4"], 1, ["IPv4"], 1), (["ipFamilyPolicy": "PreferDualStack"], ["IPv4", "IPv6"], 2, ["IPv4"], 1),
            (["clusterIP": "None"], ["IPv4", "IPv6"], 1, ["IPv4", "IPv6"], 1),
            (["clusterIP": "None", "selector": ["a": "b"]], ["IPv4"], 1, ["IPv4"], 1),
            (["clusterIP": "None", "ipFamilyPolicy": "SingleStack"], ["IPv4"], 1, ["IPv4"], 1),
        ] as [(JSONValue, [String], Int, [String], Int)])
    func families(
        given: JSONValue, dualFamilies: [String], dualCount: Int, singleFamilies: [String], singleCount: Int
    ) throws {
        var spec = given
        spec["ports"] = [["port": 80]]
        for (ranges, families, count) in [
            (Self.dual, dualFamilies, dualCount), (Self.single, singleFamilies, singleCount),
        ] {
            let cluster = try Cluster(ranges)
            let made = Service(try cluster.store.create(Cluster.service("quote", spec)))
            #expect(made.ipFamilies.map(\.rawValue) == families)
            #expect(made.clusterIPs.count == count)
        }
    }

    @Test(
        "9.2 [V] refusals on a single-stack cluster",
        arguments: [
            (
                ["ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6"]],
                #"spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster"#
            ),
            (
                ["ipFamilyPolicy": "RequireDualStack"],
                #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#
            ),
            (
                ["clusterIP": "fd00::9"],
                #"spec.clusterIPs[0]: Invalid value: ["fd00::9"]: IPv6 is not configured on this cluster"#
            ),
        ] as [(JSONValue, String)])
    func refusals(given: JSONValue, expected: String) throws {
        var spec = given
        spec["ports"] = [["port": 80]]
        #expect(try Cluster(Self.single).refusal(spec) == "Service \"quote\" is invalid: \(expected)")
    }

    @Test("9.2 [V] two families without a policy")
    func noPolicy() throws {
        let text = try Cluster(Self.dual).refusal(["ipFamilies": ["IPv4", "IPv6"], "ports": [["port": 80]]])
        #expect(
            text
                == #"Service "quote" is invalid: spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"#
        )
    }

    @Test("9.4 upgrade and downgrade")
    func upgrade() throws {
        let cluster = try Cluster(Self.dual)
        let first = Service(try cluster.store.create(Cluster.service("quote", ["ports": [["port": 80]]])))
        var object = try #require(cluster.store.get(first.object.key))
        object.json["spec"]?["ipFamilyPolicy"] = "PreferDualStack"
        let both = Service(try cluster.store.update(object))
        #expect(both.clusterIPs.count == 2 && both.clusterIPs.first == first.clusterIPs.first)
        object = try #require(cluster.store.get(first.object.key))
        object.json["spec"]?["ipFamilyPolicy"] = "SingleStack"
        let one = Service(try cluster.store.update(object))
        #expect(one.clusterIPs == first.clusterIPs)
    }
}
