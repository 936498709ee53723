import ClusterModel
import ClusterStore
import Logging
import NetTypes
import Testing

@testable import ControlPlane

@Suite("3.1 to 3.5 EndpointSlices follow Services and pods")
struct EndpointSliceControllerTests {
    private static let quote: JSONValue = ["selector": ["app": "quote"], "ports": [["name": "http", "port": 80]]]

    @Test("S3 all pods with the label, the canary too; relabelling moves a pod out and in")
    func selection() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Cluster.service("quote", Self.quote))
        for (number, name) in ["quote-001", "quote-002", "quote-003", "quote-canary"].enumerated() {
            _ = try store.create(
                Cluster.pod(
                    name, labels: ["app": "quote", "rel": name == "quote-canary" ? "canary" : "stable"],
                    ip: "10.244.0.\(number + 2)"))
        }
        _ = try store.create(Cluster.pod("quiz", labels: ["app": "quiz"], ip: "10.244.0.9"))
        try await driven.settle()
        #expect(driven.endpoints(of: "quote").count == 4)
        #expect(driven.slices(of: "quote").count == 1)
        let service = try #require(store.get(ObjectKey(.services, namespace: "kiada", name: "quote")))
        _ = try store.modify(ObjectKey(.pods, namespace: "kiada", name: "quote-002")) { $0.labels = ["app": "x"] }
        try await driven.settle()
        #expect(
            driven.endpoints(of: "quote").compactMap(\.targetName).sorted() == [
                "quote-001", "quote-003", "quote-canary",
            ])
        // S8: the Service itself is untouched.
        #expect(store.get(service.key)?.resourceVersion == service.resourceVersion)
        _ = try store.modify(ObjectKey(.pods, namespace: "kiada", name: "quote-002")) { $0.labels = ["app": "quote"] }
        try await driven.settle()
        #expect(driven.endpoints(of: "quote").count == 4)
    }

    @Test(
        "3.3 [V] conditions",
        arguments: [
            ("Running", true, false, false, [true, true, false], "addresses"),
            ("Running", false, false, false, [false, false, false], "notReadyAddresses"),
            ("Running", false, false, true, [true, false, false], "addresses"),
            ("Running", true, true, false, [false, true, true], nil),
            ("Running", true, true, true, [true, true, true], "addresses"),
            ("Running", false, true, false, [false, false, true], nil),
            ("Succeeded", false, false, true, nil, nil), ("Pending", false, false, true, nil, nil),
        ] as [(String, Bool, Bool, Bool, [Bool]?, String?)])
    func conditions(
        phase: String, isReady: Bool, isDeleting: Bool, publishes: Bool, expected: [Bool]?, list: String?
    ) async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        var spec = Self.quote
        spec["publishNotReadyAddresses"] = .bool(publishes)
        _ = try store.create(Cluster.service("quote", spec))
        let pod = try store.create(
            Cluster.pod("quote-001", ip: phase == "Pending" ? nil : "10.244.0.5", isReady: isReady, phase: phase))
        if isDeleting { _ = try store.delete(pod.key) }
        try await driven.settle()
        let found = driven.endpoints(of: "quote").first.map { [$0.isReady, $0.isServing, $0.isTerminating] }
        #expect(found == expected)
        let subset = driven.object(of: "quote")?.json["subsets"]?[0]
        for name in ["addresses", "notReadyAddresses"] {
            #expect((subset?[name]?.arrayValue?.count ?? 0) == (name == list ? 1 : 0), "\(name)")
        }
    }

    @Test("3.4 [V], S5 a named targetPort means each pod's own number: two slices")
    func namedPort() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(
            Cluster.service(
                "quote", ["selector": ["app": "quote"], "ports": [["name": "http", "port": 80, "targetPort": "http"]]]))
        for (name, ip, port) in [("a", "10.244.0.2", 8080), ("b", "10.244.0.3", 9090), ("c", "10.244.0.4", 0)] {
            let ports: JSONValue = port == 0 ? [] : [["name": "http", "containerPort": JSONValue(port)]]
            _ = try store.create(Cluster.pod(name, ip: ip, ports: ports))
        }
        try await driven.settle()
        let slices = driven.slices(of: "quote").sorted { $0.ports.first?.port ?? 0 < $1.ports.first?.port ?? 0 }
        #expect(slices.map { $0.ports.map(\.port) } == [[], [8080], [9090]])
        #expect(slices.map(\.endpoints.count) == [1, 1, 1])
    }

    @Test("3.4 a named targetPort needs the same protocol; sidecars have ports, other init containers have not")
    func protocolsAndSidecars() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(
            Cluster.service(
                "quote",
                [
                    "selector": ["app": "quote"],
                    "ports": [
                        ["name": "udp", "port": 53, "protocol": "UDP", "targetPort": "dns"],
                        ["name": "side", "port": 81, "targetPort": "side"],
                        ["name": "init", "port": 82, "targetPort": "init"],
                        ["name": "number", "port": 83, "targetPort": 9999],
                    ],
                ]))
        var pod = Cluster.pod("a", ip: "10.244.0.2")
        // Of one container, no two ports may have one name.
        pod.json["spec"]?["containers"] = [
            ["name": "tcp", "image": "i", "ports": [["name": "dns", "containerPort": 1]]],
            ["name": "udp", "image": "i", "ports": [["name": "dns", "containerPort": 2, "protocol": "UDP"]]],
        ]
        pod.json["spec"]?["initContainers"] = [
            ["name": "init", "image": "i", "ports": [["name": "init", "containerPort": 4]]],
            [
                "name": "side", "image": "i", "restartPolicy": "Always",
                "ports": [["name": "side", "containerPort": 3]],
            ],
        ]
        _ = try store.create(pod)
        try await driven.settle()
        let ports = driven.slices(of: "quote").flatMap(\.ports)
        #expect(ports.map { "\($0.name) \($0.port)" }.sorted() == ["number 9999", "side 3", "udp 2"])
    }

    @Test("3.4 a headless Service without ports has endpoints without ports")
    func portless() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Cluster.service("h", ["clusterIP": "None", "selector": ["app": "quote"]]))
        _ = try store.create(Cluster.pod("a", ip: "10.244.0.2"))
        try await driven.settle()
        #expect(driven.slices(of: "h").map(\.ports) == [[]] && driven.endpoints(of: "h").count == 1)
        let subset = driven.object(of: "h")?.json["subsets"]?[0]
        #expect(subset?["addresses"]?.arrayValue?.count == 1 && subset?["ports"] == nil)
    }

    @Test("3.4 appProtocol is copied to slices and Endpoints")
    func appProtocol() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(
            Cluster.service(
                "quote",
                ["selector": ["app": "quote"], "ports": [["port": 80, "appProtocol": "kubernetes.io/h2c"]]]))
        _ = try store.create(Cluster.pod("a", ip: "10.244.0.2"))
        try await driven.settle()
        let port = store.list(.endpointslices, namespace: "kiada").items.first?.json["ports"]?[0]
        #expect(port == ["name": "", "port": 80, "protocol": "TCP", "appProtocol": "kubernetes.io/h2c"])
        #expect(
            driven.object(of: "quote")?.json["subsets"]?[0]?["ports"]
                == [["port": 80, "protocol": "TCP", "appProtocol": "kubernetes.io/h2c"]])
    }

    @Test("3.6 slices have the Service's labels but for reserved ones; without a pod one stays, with nothing in it")
    func labels() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(
            Cluster.service(
                "quote", Self.quote,
                labels: [
                    "team": "a", "kubernetes.io/service-name": "other", "service.kubernetes.io/headless": "",
                    "endpointslice.kubernetes.io/managed-by": "me",
                ]))
        _ = try store.create(Cluster.service("h", ["clusterIP": "None", "selector": ["app": "quote"]]))
        try await driven.settle()
        let slices = store.list(.endpointslices, namespace: "kiada").items
        let slice = try #require(slices.first { $0.name.hasPrefix("quote-") })
        let manager = "endpointslice-controller.k8s.io"
        #expect(
            slice.labels == [
                "team": "a", "kubernetes.io/service-name": "quote", "endpointslice.kubernetes.io/managed-by": manager,
            ])
        #expect(slice.json["endpoints"] == [] && slice.json["ports"] == [])
        // 1.2: the Service's name, a dash and five characters.
        #expect(slice.name.utf8.count == "quote-".utf8.count + 5)
        let headless = try #require(slices.first { $0.name.hasPrefix("h-") })
        #expect(headless.labels["service.kubernetes.io/headless"] == "")
        let owner = try #require(slice.json["metadata"]?["ownerReferences"]?[0])
        #expect(slice.ownerReferences.count == 1)
        #expect(
            owner["apiVersion"] == "v1" && owner["kind"] == "Service" && owner["name"] == "quote"
                && owner["controller"] == true && owner["blockOwnerDeletion"] == true)
    }

    @Test("3.6, 9.5 two families: a slice each; Endpoints have the primary one only")
    func dualStack() async throws {
        var driven = try Driven(["10.96.0.0/16", "fd00:10:96::/112"])
        let store = driven.cluster.store
        var spec = Self.quote
        spec["ipFamilyPolicy"] = "RequireDualStack"
        let service = try store.create(Cluster.service("quote", spec))
        var pod = Cluster.pod("a", ip: "10.244.0.2")
        pod.json["status"]?["podIPs"] = [["ip": "10.244.0.2"], ["ip": "fd00:10:244::2"]]
        _ = try store.create(pod)
        try await driven.settle()
        #expect(
            driven.endpoints(of: "quote").flatMap(\.addresses).map(\.description).sorted()
                == ["10.244.0.2", "fd00:10:244::2"])
        let subset = driven.object(of: "quote")?.json["subsets"]?[0]
        #expect(subset?["addresses"]?.arrayValue?.compactMap { $0["ip"]?.stringValue } == ["10.244.0.2"])
        _ = try store.modify(service.key) { service in
            service.json["spec"]?["ipFamilyPolicy"] = "SingleStack"
        }
        try await driven.settle()
        #expect(driven.slices(of: "quote").map(\.family) == [.v4])
    }

    @Test("3.1 a Service that becomes an ExternalName has its endpoints managed by nobody")
    func externalName() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Cluster.service("quote", ["type": "ExternalName", "externalName": "a.example"]))
        _ = try store.create(Cluster.pod("a", ip: "10.244.0.2"))
        try await driven.settle()
        #expect(driven.slices(of: "quote").isEmpty && driven.object(of: "quote") == nil)
    }

    @Test("3.5 hostname only with the matching subdomain; targetRef and nodeName")
    func fields() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(KubeObject(.nodes, name: "node-1"))
        _ = try store.create(Cluster.service("quote", Self.quote))
        for (name, subdomain, ip) in [("a", "quote", "10.244.0.2"), ("b", "other", "10.244.0.3")] {
            var pod = Cluster.pod(name, ip: ip)
            pod.json["spec"]?["hostname"] = .string("host-\(name)")
            pod.json["spec"]?["subdomain"] = .string(subdomain)
            pod.json["spec"]?["nodeName"] = "node-1"
            _ = try store.create(pod)
        }
        try await driven.settle()
        let endpoints = driven.endpoints(of: "quote").sorted { $0.targetName ?? "" < $1.targetName ?? "" }
        #expect(endpoints.map(\.hostname) == ["host-a", nil])
        #expect(endpoints.map(\.nodeName) == ["node-1", "node-1"])
    }

    @Test("3.2 a pod on a node that does not exist is left out, and comes when the node does")
    func missingNode() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Cluster.service("quote", Self.quote))
        var pod = Cluster.pod("a", ip: "10.244.0.2")
        pod.json["spec"]?["nodeName"] = "node-1"
        _ = try store.create(pod)
        try await driven.settle()
        #expect(driven.endpoints(of: "quote").isEmpty)
        _ = try store.create(KubeObject(.nodes, name: "node-1"))
        try await driven.settle()
        #expect(driven.endpoints(of: "quote").count == 1)
    }

    @Test("3.1, S18 without a selector nothing is made and nothing deleted; a deleted Service takes its slices along")
    func ownership() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Cluster.service("external", ["ports": [["port": 80]]]))
        var own = KubeObject(.endpointslices, namespace: "kiada", name: "external-1")
        own.labels = [EndpointSlice.serviceNameLabel: "external"]
        own.json["addressType"] = "IPv4"
        own.json["endpoints"] = [["addresses": ["192.0.2.1"]]]
        _ = try store.create(own)
        let quote = try store.create(Cluster.service("quote", Self.quote))
        try await driven.settle()
        #expect(driven.slices(of: "external").map(\.name) == ["external-1"])
        #expect(driven.slices(of: "quote").count == 1)
        let slice = try #require(store.list(.endpointslices, namespace: "kiada").items.last)
        #expect(slice.ownerReferences.first?.uid == quote.uid)
        #expect(slice.name.hasPrefix("quote-"))
        #expect(slice.generation == 1)
        _ = try store.delete(quote.key)
        try await driven.settle()
        #expect(driven.slices(of: "quote").isEmpty)
        #expect(driven.slices(of: "external").count == 1)
    }

    @Test("1.5 a slice of an earlier Service of the same name is deleted, never reused")
    func earlierOwner() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        let first = try store.create(Cluster.service("quote", Self.quote))
        try await driven.settle()
        let before = driven.slices(of: "quote").map(\.name)
        _ = try store.delete(first.key)
        _ = try store.create(Cluster.service("quote", Self.quote))
        try await driven.settle()
        let after = driven.slices(of: "quote").map(\.name)
        #expect(after.count == 1 && Set(after).isDisjoint(with: before))
    }

    @Test("2.9 LoadBalancer addresses: from the pool, by wish, given back, none for a foreign class")
    func loadBalancers() async throws {
        var driven = try Driven(loadBalancers: "10.80.0.0/29")
        let store = driven.cluster.store
        let ports: JSONValue = [["port": 80]]
        _ = try store.create(Cluster.service("a", ["type": "LoadBalancer", "ports": ports]))
        _ = try store.create(
            Cluster.service("b", ["type": "LoadBalancer", "loadBalancerIP": "10.80.0.5", "ports": ports]))
        _ = try store.create(
            Cluster.service("c", ["type": "LoadBalancer", "loadBalancerClass": "example.com/x", "ports": ports]))
        try await driven.settle()
        func address(_ name: String) -> String? {
            let key = ObjectKey(.services, namespace: "kiada", name: name)
            return store.get(key).map(Service.init)?.loadBalancerIngress.first?.ip?.description
        }
        #expect(address("a") == "10.80.0.1")
        #expect(address("b") == "10.80.0.5")
        #expect(address("c") == nil)
        _ = try store.update(Cluster.service("a", ["type": "ClusterIP", "ports": ports]))
        try await driven.settle()
        #expect(address("a") == nil)
        _ = try store.create(Cluster.service("d", ["type": "LoadBalancer", "ports": ports]))
        try await driven.settle()
        #expect(address("d") == "10.80.0.1")
    }
}
