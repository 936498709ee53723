import ClusterModel
import ClusterStore
import ControlPlane
import NetTypes
import Testing

@Suite("2.4 to 2.8 what an update keeps, takes and refuses")
struct ServiceUpdateTests {
    private let cluster: Cluster
    private static let web: JSONValue = [["name": "http", "port": 80]]

    init() throws { cluster = try Cluster() }

    private func create(_ spec: JSONValue, name: String = "quote") throws -> JSONValue {
        try #require(try cluster.store.create(Cluster.service(name, spec)).json["spec"])
    }

    private func update(_ spec: JSONValue) throws -> JSONValue {
        try #require(try cluster.store.update(Cluster.service("quote", spec)).json["spec"])
    }

    private func refusal(_ spec: JSONValue) -> String { cluster.updateRefusal(Cluster.service("quote", spec)) }

    @Test(
        "2.4 entries of one port number share a node port at creation only; one that asks for a number gives it to the other"
    )
    func sharing() throws {
        let both: JSONValue = [
            ["name": "udp", "port": 53, "protocol": "UDP"],
            ["name": "tcp", "port": 53, "protocol": "TCP", "nodePort": 30053],
        ]
        let made = try create(["type": "NodePort", "ports": both])
        #expect(made["ports"]?[0]?["nodePort"] == 30053 && made["ports"]?[1]?["nodePort"] == 30053)
        _ = try create(["ports": [["port": 1]]], name: "other")
        let spec: JSONValue = [
            "type": "NodePort",
            "ports": [
                ["name": "udp", "port": 54, "protocol": "UDP"], ["name": "tcp", "port": 54, "protocol": "TCP"],
            ],
        ]
        let changed = try #require(try cluster.store.update(Cluster.service("other", spec)).json["spec"])
        #expect(changed["ports"]?[0]?["nodePort"] != changed["ports"]?[1]?["nodePort"])
    }

    @Test("2.4 the pool of node ports can be full; health check ports are of the same pool")
    func fullPool() throws {
        let networks = ClusterNetworks(
            serviceRanges: ["10.96.0.0/16"].compactMap { CIDR($0) }, nodePorts: 30000...30001)
        let store = Store(
            admission: ClusterAdmission(networks, random: CountingGenerator()), source: SystemStoreSource { 0 })
        _ = try store.create(KubeObject(.namespaces, name: "kiada"))
        func make(_ name: String, _ spec: JSONValue) -> String {
            do throws(APIError) { _ = try store.create(Cluster.service(name, spec)) } catch { return error.message }
            return "created"
        }
        let local: JSONValue = [
            "type": "LoadBalancer", "externalTrafficPolicy": "Local", "allocateLoadBalancerNodePorts": false,
            "healthCheckNodePort": 30000, "ports": [["port": 80]],
        ]
        #expect(make("a", local) == "created")
        #expect(
            make("b", local)
                == "Internal error occurred: failed to allocate requested HealthCheck NodePort 30000: provided port is already allocated"
        )
        #expect(make("c", ["type": "NodePort", "ports": [["port": 80]]]) == "created")
        #expect(
            make("d", ["type": "NodePort", "ports": [["port": 80]]])
                == "Internal error occurred: failed to allocate a nodePort: range is full")
    }

    @Test("2.5 an update that is refused takes nothing, and gives nothing back")
    func allOrNothing() throws {
        _ = try create(["type": "NodePort", "ports": [["port": 80, "nodePort": 30080]]])
        _ = try create(["type": "NodePort", "ports": [["port": 80, "nodePort": 30081]]], name: "other")
        let text = refusal([
            "type": "NodePort",
            "ports": [["name": "a", "port": 80, "nodePort": 30082], ["name": "b", "port": 81, "nodePort": 30081]],
        ])
        #expect(text.contains("spec.ports[1].nodePort: Invalid value: 30081: provided port is already allocated"))
        for (port, expected) in [(30082, "created"), (30080, "provided port is already allocated")] {
            let spec: JSONValue = ["type": "NodePort", "ports": [["port": 80, "nodePort": JSONValue(port)]]]
            #expect(cluster.refusal(spec, name: "third-\(port)").hasSuffix(expected))
        }
    }

    @Test("2.5, 2.6 a node port stays with the port of its name, and is free when the port has gone")
    func nodePortsByName() throws {
        let first = try create(["type": "NodePort", "ports": Self.web])
        let number = try #require(first["ports"]?[0]?["nodePort"]?.intValue)
        let moved = try update(["type": "NodePort", "ports": [["name": "http", "port": 8080]]])
        #expect(moved["ports"]?[0]?["nodePort"]?.intValue == number)
        let two = try update([
            "type": "NodePort",
            "ports": [["name": "other", "port": 81], ["name": "http", "port": 80]],
        ])
        #expect(two["ports"]?[1]?["nodePort"]?.intValue == number)
        let taken = try update([
            "type": "NodePort",
            "ports": [["name": "other", "port": 81, "nodePort": JSONValue(number)], ["name": "http", "port": 80]],
        ])
        #expect(taken["ports"]?[0]?["nodePort"]?.intValue == number)
        #expect(taken["ports"]?[1]?["nodePort"]?.intValue != number)
        _ = try update(["type": "NodePort", "ports": [["name": "new", "port": 9]]])
        #expect(
            cluster.refusal(["type": "NodePort", "ports": [["port": 80, "nodePort": JSONValue(number)]]], name: "x")
                == "created")
    }

    @Test("2.6 clusterIP and clusterIPs belong together")
    func pair() throws {
        #expect(
            cluster.refusal(["clusterIPs": ["10.96.0.5"], "ports": Self.web])
                == "Service \"quote\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.5\"]: must be empty when `clusterIP` is not specified"
        )
        #expect(
            cluster.refusal(["clusterIP": "10.96.0.6", "clusterIPs": ["10.96.0.5"], "ports": Self.web])
                == "Service \"quote\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.5\"]: first value must match `clusterIP`"
        )
        let made = try create(["clusterIP": "10.96.0.5", "ports": Self.web])
        #expect(made["clusterIPs"] == ["10.96.0.5"])
        // One of the two is changed: the other follows, and then it is a change that cannot be.
        for spec in [
            ["clusterIP": "10.96.0.6", "clusterIPs": ["10.96.0.5"], "ports": Self.web],
            ["clusterIP": "10.96.0.5", "clusterIPs": ["10.96.0.6"], "ports": Self.web],
        ] as [JSONValue] {
            #expect(
                refusal(spec)
                    == #"Service "quote" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.0.6"]: may not change once set"#
            )
        }
    }

    @Test("2.6 the number of the health check stays, and cannot be changed")
    func healthCheck() throws {
        let spec: JSONValue = ["type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": Self.web]
        let first = try create(spec)
        #expect(try update(spec)["healthCheckNodePort"] == first["healthCheckNodePort"])
        var other = spec
        other["healthCheckNodePort"] = JSONValue((first["healthCheckNodePort"]?.intValue ?? 0) == 32000 ? 32001 : 32000)
        #expect(
            refusal(other) == "Service \"quote\" is invalid: spec.healthCheckNodePort: Forbidden: field is immutable")
    }

    @Test("2.7 headless and not headless are for life")
    func headless() throws {
        _ = try create(["clusterIP": "None", "selector": ["a": "b"], "ports": Self.web])
        #expect(
            refusal(["clusterIP": "10.96.0.9", "selector": ["a": "b"], "ports": Self.web])
                == #"Service "quote" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.0.9"]: may not change once set"#
        )
        // Left out, it stays.
        #expect(try update(["selector": ["a": "c"], "ports": Self.web])["clusterIP"] == "None")
    }

    @Test("2.7, S6 all else may change: ports, selector, policies, affinity, labels; the address stays")
    func mutable() throws {
        let first = try create(["selector": ["app": "quote"], "ports": Self.web])
        let changed = try update([
            "selector": ["app": "quiz"], "ports": [["port": 8080, "targetPort": "http"]],
            "sessionAffinity": "ClientIP", "internalTrafficPolicy": "Local", "publishNotReadyAddresses": true,
        ])
        #expect(changed["clusterIP"] == first["clusterIP"] && changed["selector"] == ["app": "quiz"])
        let back = try update(["selector": ["app": "quote"], "ports": Self.web])
        #expect(back["sessionAffinityConfig"] == nil && back["internalTrafficPolicy"] == "Cluster")
    }

    @Test("2.7 the class of a load balancer is fixed while the type is")
    func balancerClass() throws {
        _ = try create(["type": "LoadBalancer", "loadBalancerClass": "example.com/a", "ports": Self.web])
        #expect(
            refusal(["type": "LoadBalancer", "loadBalancerClass": "example.com/b", "ports": Self.web])
                == #"Service "quote" is invalid: spec.loadBalancerClass: Invalid value: "example.com/b": may not change once set"#
        )
        let node = try update(["type": "NodePort", "loadBalancerClass": "example.com/a", "ports": Self.web])
        #expect(node["loadBalancerClass"] == nil)
    }

    @Test("2.8 back to ClusterIP: node ports go, unless a new one was sent, which is refused")
    func backToClusterIP() throws {
        let first = try create(["type": "NodePort", "ports": Self.web])
        let number = try #require(first["ports"]?[0]?["nodePort"]?.intValue)
        let other = number == 30099 ? 30098 : 30099
        #expect(
            refusal(["ports": [["name": "http", "port": 80, "nodePort": JSONValue(other)]]])
                == "Service \"quote\" is invalid: spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"
        )
        let inner = try update(["ports": [["name": "http", "port": 80, "nodePort": JSONValue(number)]]])
        #expect(inner["ports"]?[0]?["nodePort"] == nil && inner["externalTrafficPolicy"] == nil)
        #expect(
            cluster.refusal(["type": "NodePort", "ports": [["port": 80, "nodePort": JSONValue(number)]]], name: "x")
                == "created")
    }

    @Test("2.8 a LoadBalancer that becomes a NodePort keeps its node ports and gives its health check's back")
    func balancerToNodePort() throws {
        let first = try create(["type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": Self.web])
        let health = try #require(first["healthCheckNodePort"])
        let node = try update(["type": "NodePort", "externalTrafficPolicy": "Local", "ports": Self.web])
        #expect(node["healthCheckNodePort"] == nil && node["externalTrafficPolicy"] == "Local")
        #expect(node["ports"] == first["ports"])
        #expect(
            cluster.refusal(["type": "NodePort", "ports": [["port": 80, "nodePort": health]]], name: "x") == "created")
    }

    @Test(
        "2.8 to ExternalName and back: the selector stays, addresses and node ports are given back, new ones are taken")
    func externalName() throws {
        let spec: JSONValue = [
            "type": "NodePort", "clusterIP": "10.96.0.77", "selector": ["app": "quote"],
            "ports": [["name": "http", "port": 80, "nodePort": 30077]],
        ]
        _ = try create(spec)
        let named = try update([
            "type": "ExternalName", "externalName": "a.example", "selector": ["app": "quote"], "ports": Self.web,
        ])
        #expect(named["selector"] == ["app": "quote"])
        for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "externalTrafficPolicy"] {
            #expect(named[key] == nil, "\(key)")
        }
        #expect(named["ports"]?[0]?["nodePort"] == nil)
        _ = try create(spec, name: "heir")
        let back = try update(["selector": ["app": "quote"], "ports": Self.web])
        #expect(back["ipFamilies"] == ["IPv4"] && back["clusterIPs"]?[0] == back["clusterIP"])
        #expect(back["clusterIP"]?.stringValue != nil && back["clusterIP"] != "10.96.0.77")
    }
}
