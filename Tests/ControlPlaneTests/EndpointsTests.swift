import ClusterModel
import ClusterStore
import NetTypes
import Testing

@testable import ControlPlane

@Suite("3.7 Endpoints objects")
struct EndpointsTests {
    private static let quote: JSONValue = ["selector": ["app": "quote"], "ports": [["name": "http", "port": 80]]]

    @Test("ready and not ready addresses in one subset, sorted as texts; gone pods and ended ones are not there")
    func subsets() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Cluster.service("quote", Self.quote, labels: ["team": "a"]))
        _ = try store.create(Cluster.pod("a", ip: "10.244.1.9"))
        _ = try store.create(Cluster.pod("b", ip: "10.244.1.10"))
        _ = try store.create(Cluster.pod("c", ip: "10.244.1.11", isReady: false))
        let ending = try store.create(Cluster.pod("d", ip: "10.244.1.12"))
        _ = try store.delete(ending.key)
        try await driven.settle()
        let object = try #require(driven.object(of: "quote"))
        #expect(object.labels["team"] == "a")
        let subset = try #require(object.json["subsets"]?[0])
        #expect(object.json["subsets"]?.arrayValue?.count == 1)
        #expect(subset["addresses"]?.arrayValue?.compactMap { $0["ip"]?.stringValue } == ["10.244.1.10", "10.244.1.9"])
        #expect(subset["notReadyAddresses"]?.arrayValue?.compactMap { $0["ip"]?.stringValue } == ["10.244.1.11"])
        #expect(subset["ports"] == [["name": "http", "port": 80, "protocol": "TCP"]])
    }

    @Test("3.4 [V] pods with other numbers for a named port: two subsets; a pod without the port is left out")
    func namedPorts() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(
            Cluster.service("quote", ["selector": ["app": "quote"], "ports": [["port": 80, "targetPort": "http"]]]))
        for (name, ip, port) in [("a", "10.244.0.2", 8080), ("b", "10.244.0.3", 9090), ("c", "10.244.0.4", 0)] {
            let ports: JSONValue = port == 0 ? [] : [["name": "http", "containerPort": JSONValue(port)]]
            _ = try store.create(Cluster.pod(name, ip: ip, ports: ports))
        }
        try await driven.settle()
        let subsets = try #require(driven.object(of: "quote")?.json["subsets"]?.arrayValue)
        #expect(subsets.map { $0["ports"]?[0]?["port"] } == [8080, 9090])
        #expect(subsets.allSatisfy { $0["ports"]?[0]?["name"] == nil })
    }

    @Test("a headless Service is labelled; a Service that goes takes its Endpoints along, also those of a user")
    func life() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        let headless = try store.create(Cluster.service("h", ["clusterIP": "None", "selector": ["app": "quote"]]))
        let open = try store.create(Cluster.service("open", ["ports": [["port": 80]]]))
        var own = KubeObject(.endpoints, namespace: "kiada", name: "open")
        own.json["subsets"] = [["addresses": [["ip": "192.0.2.1"]], "ports": [["port": 88]]]]
        _ = try store.create(own)
        try await driven.settle()
        #expect(driven.object(of: "h")?.labels["service.kubernetes.io/headless"] == "")
        #expect(driven.object(of: "open") != nil)
        for service in [headless, open] { _ = try store.delete(service.key) }
        try await driven.settle()
        #expect(driven.object(of: "h") == nil && driven.object(of: "open") == nil)
        #expect(store.list(.endpointslices, namespace: "kiada").items.isEmpty)
    }

    @Test("hostname, node and pod of an address are told; without pods there are no subsets")
    func addressFields() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(KubeObject(.nodes, name: "n1"))
        _ = try store.create(Cluster.service("quote", Self.quote))
        var pod = Cluster.pod("a", ip: "10.244.1.9")
        pod.json["spec"]?["hostname"] = "first"
        pod.json["spec"]?["subdomain"] = "quote"
        pod.json["spec"]?["nodeName"] = "n1"
        let made = try store.create(pod)
        try await driven.settle()
        #expect(
            driven.object(of: "quote")?.json["subsets"]?[0]?["addresses"]?[0] == [
                "ip": "10.244.1.9", "hostname": "first", "nodeName": "n1",
                "targetRef": [
                    "kind": "Pod", "namespace": "kiada", "name": "a", "uid": .string(made.uid ?? ""),
                ],
            ])
        _ = try store.delete(made.key, gracePeriod: 0)
        try await driven.settle()
        #expect(driven.object(of: "quote")?.json["subsets"] == nil)
    }

    @Test("more than 1000 addresses are cut, ready ones first, and that is said")
    func overCapacity() throws {
        let service = Service(Cluster.service("quote", Self.quote))
        let pods = (0..<1100).map { number in
            EndpointPod(
                Cluster.pod("p\(number)", ip: "10.244.\(number / 250).\(number % 250 + 1)", isReady: number % 2 == 0))
        }
        let object = EndpointsDocument.object(of: service, pods: pods, existing: nil)
        let subset = try #require(object.json["subsets"]?[0])
        #expect(subset["addresses"]?.arrayValue?.count == 550)
        #expect(subset["notReadyAddresses"]?.arrayValue?.count == 450)
        #expect(object.annotations["endpoints.kubernetes.io/over-capacity"] == "truncated")
    }
}

@Suite("3.9 Endpoints that users write are mirrored into slices")
struct EndpointsMirrorTests {
    private func endpoints(_ subsets: JSONValue) -> KubeObject {
        var object = KubeObject(.endpoints, namespace: "kiada", name: "external-service")
        object.json["subsets"] = subsets
        object.labels = ["team": "a"]
        object.annotations = ["kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "x"]
        return object
    }

    @Test("one slice per subset and family, only `ready` is set; changes and removal follow")
    func mirroring() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Cluster.service("external-service", ["ports": [["name": "http", "port": 80]]]))
        let object = try store.create(
            endpoints([
                [
                    "addresses": [["ip": "1.1.1.1"], ["ip": "2001:db8::1"]], "notReadyAddresses": [["ip": "2.2.2.2"]],
                    "ports": [["name": "http", "port": 88]],
                ]
            ]))
        try await driven.settle()
        let slices = driven.slices(of: "external-service")
        #expect(Set(slices.compactMap(\.family)) == [.v4, .v6])
        let v4 = try #require(
            store.list(.endpointslices, namespace: "kiada").items.first { $0.json["addressType"] == "IPv4" })
        #expect(v4.json["endpoints"]?[0] == ["addresses": ["1.1.1.1"], "conditions": ["ready": true]])
        #expect(v4.json["endpoints"]?[1] == ["addresses": ["2.2.2.2"], "conditions": ["ready": false]])
        #expect(v4.json["ports"] == [["name": "http", "port": 88, "protocol": "TCP"]])
        #expect(v4.labels[EndpointSlice.managedByLabel] == "endpointslicemirroring-controller.k8s.io")
        #expect(v4.labels["team"] == "a" && v4.annotations == ["note": "x"])
        #expect(v4.ownerReferences.first?.kind == "Endpoints")
        _ = try store.modify(object.key) { $0.json["subsets"] = [["addresses": [["ip": "3.3.3.3"]]]] }
        try await driven.settle()
        #expect(driven.endpoints(of: "external-service").map { $0.addresses.map(\.description) } == [["3.3.3.3"]])
        #expect(driven.slices(of: "external-service").map(\.name) == [v4.name])
        _ = try store.delete(object.key)
        try await driven.settle()
        #expect(driven.slices(of: "external-service").isEmpty)
    }

    @Test("not for a Service with a selector, without a Service, or when the label says no")
    func exceptions() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        let subsets: JSONValue = [["addresses": [["ip": "1.1.1.1"]]]]
        _ = try store.create(endpoints(subsets))
        try await driven.settle()
        #expect(driven.slices(of: "external-service").isEmpty)
        _ = try store.create(Cluster.service("external-service", ["ports": [["port": 80]]]))
        try await driven.settle()
        #expect(driven.slices(of: "external-service").count == 1)
        let key = ObjectKey(.endpoints, namespace: "kiada", name: "external-service")
        _ = try store.modify(key) { $0.labels["endpointslice.kubernetes.io/skip-mirror"] = "true" }
        try await driven.settle()
        #expect(driven.slices(of: "external-service").isEmpty)
    }

    @Test(
        "what is wrong with Endpoints",
        arguments: [
            ([[:]], "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"),
            (
                [["addresses": [["ip": "127.0.0.1"]]]],
                #"subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#
            ),
            (
                [["addresses": [["ip": "1.1.1.1"]], "ports": [["port": 80], ["name": "b", "port": 81]]]],
                "subsets[0].ports[0].name: Required value"
            ),
        ] as [(JSONValue, String)])
    func refusals(subsets: JSONValue, expected: String) throws {
        let store = try Cluster().store
        let error = #expect(throws: APIError.self) { try store.create(endpoints(subsets)) }
        #expect(error?.message == "Endpoints \"external-service\" is invalid: \(expected)")
    }
}

@Suite("1.5, 1.6 deletion of namespaces and of owners")
struct DeletionTests {
    @Test("a namespace is Terminating until the last pod has ended, takes nothing new, then goes with all")
    func namespace() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Cluster.service("quote", ["selector": ["app": "quote"], "ports": [["port": 80]]]))
        let pod = try store.create(Cluster.pod("a", ip: "10.244.0.2"))
        let key = ObjectKey(.namespaces, name: "kiada")
        let ending = try store.delete(key)
        #expect(ending.json["status"]?["phase"] == "Terminating")
        try await driven.settle()
        #expect(store.list(.services, namespace: "kiada").items.isEmpty)
        #expect(store.get(pod.key)?.deletionTimestamp != nil)
        #expect(store.get(key) != nil)
        let error = #expect(throws: APIError.self) { try store.create(Cluster.pod("b")) }
        #expect(error?.reason == .forbidden && error?.message.hasSuffix("because it is being terminated") == true)
        _ = try store.delete(pod.key, gracePeriod: 0)
        try await driven.settle()
        #expect(store.get(key) == nil)
        #expect(store.list(.endpointslices, namespace: "kiada").items.isEmpty)
        _ = try store.create(KubeObject(.namespaces, name: "kiada"))
    }

    @Test("built-in namespaces stay; an empty one goes at once")
    func special() throws {
        let store = try Cluster().store
        #expect(throws: APIError.self) { try store.delete(ObjectKey(.namespaces, name: "default")) }
        _ = try store.create(KubeObject(.namespaces, name: "empty"))
        _ = try store.delete(ObjectKey(.namespaces, name: "empty"))
        #expect(store.get(ObjectKey(.namespaces, name: "empty")) == nil)
    }

    @Test("an object goes with the last of its owners")
    func owners() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        let first = try store.create(KubeObject(.configmaps, namespace: "kiada", name: "first"))
        let second = try store.create(KubeObject(.configmaps, namespace: "kiada", name: "second"))
        var owned = KubeObject(.configmaps, namespace: "kiada", name: "owned")
        var other = OwnerReference(controller: second).json
        other["controller"] = nil
        owned.json["metadata"]?["ownerReferences"] = [OwnerReference(controller: first).json, other]
        _ = try store.create(owned)
        try await driven.settle()
        _ = try store.delete(first.key)
        try await driven.settle()
        #expect(store.get(owned.key) != nil)
        _ = try store.delete(second.key)
        try await driven.settle()
        #expect(store.get(owned.key) == nil)
    }
}
