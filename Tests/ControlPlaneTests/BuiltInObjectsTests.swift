import ClusterModel
import ClusterStore
import NetTypes
import Testing

@testable import ControlPlane

@Suite("1.6, 1.7 what every cluster has")
struct BuiltInObjectsTests {
    private func driven() throws -> Driven {
        let driven = try Driven()
        try BuiltInObjects.create(in: driven.cluster.store, networks: driven.cluster.networks, nodes: [])
        let address = try #require(IPAddress("127.0.0.1"))
        try BuiltInObjects.setAPIEndpoint(address, port: 6443, in: driven.cluster.store)
        return driven
    }

    @Test("1.6 four namespaces, with a label and a phase")
    func namespaces() throws {
        let store = try driven().cluster.store
        let names = ["default", "kiada", "kube-node-lease", "kube-public", "kube-system"]
        let found = store.list(.namespaces).items
        #expect(found.map(\.name) == names)
        #expect(found.allSatisfy { $0.labels["kubernetes.io/metadata.name"] == $0.name })
        #expect(found.allSatisfy { $0.json["status"]?["phase"] == "Active" && $0.generation == nil })
    }

    @Test("1.7 the API server's Service: first address, no selector, its slice and Endpoints by hand")
    func kubernetes() async throws {
        var driven = try driven()
        let store = driven.cluster.store
        try await driven.settle()
        let service = try #require(store.get(ObjectKey(.services, namespace: "default", name: "kubernetes")))
        let spec = try #require(service.json["spec"])
        #expect(service.labels == ["component": "apiserver", "provider": "kubernetes"])
        #expect(spec["clusterIP"] == "10.96.0.1" && spec["selector"] == nil && spec["ipFamilyPolicy"] == "SingleStack")
        #expect(spec["ports"] == [["name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443]])
        #expect(spec["sessionAffinity"] == "None" && spec["type"] == "ClusterIP")
        let slices = store.list(.endpointslices, namespace: "default").items
        #expect(slices.map(\.name) == ["kubernetes"])
        #expect(slices.first?.json["endpoints"]?[0]?["addresses"] == ["127.0.0.1"])
        let endpoints = store.list(.endpoints, namespace: "default").items
        #expect(endpoints.map(\.name) == ["kubernetes"])
        #expect(endpoints.first?.json["subsets"]?[0]?["ports"]?[0]?["port"] == 6443)
    }

    @Test("1.7 the DNS Service: tenth address, three ports in this order")
    func dns() throws {
        let store = try driven().cluster.store
        let service = try #require(store.get(ObjectKey(.services, namespace: "kube-system", name: "kube-dns")))
        #expect(
            service.labels == [
                "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS",
            ])
        #expect(service.json["spec"]?["clusterIP"] == "10.96.0.10")
        #expect(service.json["spec"]?["selector"] == ["k8s-app": "kube-dns"])
        let ports = service.json["spec"]?["ports"]?.arrayValue ?? []
        #expect(
            ports.map { "\($0["name"]?.stringValue ?? "") \($0["port"] ?? 0)/\($0["protocol"]?.stringValue ?? "")" }
                == ["dns 53/UDP", "dns-tcp 53/TCP", "metrics 9153/TCP"])
    }

    @Test("11: a claim of the chapter is bound, without any class")
    func claim() async throws {
        var driven = try driven()
        let store = driven.cluster.store
        var claim = KubeObject(.persistentvolumeclaims, namespace: "kiada", name: "quiz-data")
        claim.json["spec"] = [
            "resources": ["requests": ["storage": "1Gi"]], "accessModes": ["ReadWriteOnce"],
        ]
        let made = try store.create(claim)
        try await driven.settle()
        let bound = try #require(store.get(claim.key))
        #expect(
            bound.json["status"] == [
                "phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": ["storage": "1Gi"],
            ])
        #expect(bound.json["spec"]?["volumeName"] == .string("pvc-\(made.uid ?? "")"))
        // The same manifest again changes nothing of that.
        _ = try store.update(claim)
        try await driven.settle()
        #expect(store.get(claim.key)?.json["spec"] == bound.json["spec"])
    }

    @Test("1.7 both come back at their addresses when somebody deletes them")
    func recreated() async throws {
        var driven = try driven()
        let store = driven.cluster.store
        try await driven.settle()
        for (namespace, name) in [("default", "kubernetes"), ("kube-system", "kube-dns")] {
            let key = ObjectKey(.services, namespace: namespace, name: name)
            let before = try #require(store.get(key))
            _ = try store.delete(key)
            try await driven.settle()
            let after = try #require(store.get(key))
            #expect(after.json["spec"] == before.json["spec"] && after.uid != before.uid)
        }
        #expect(store.list(.endpointslices, namespace: "default").items.map(\.name) == ["kubernetes"])
    }
}
