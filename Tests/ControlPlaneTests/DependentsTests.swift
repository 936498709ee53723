import ClusterModel
import ClusterStore
import Testing

@testable import ControlPlane

@Suite("Finalizers, and what becomes of dependents")
struct DependentsTests {
    private var driven: Driven
    private var store: Store { driven.cluster.store }

    init() throws { driven = try Driven() }

    private func names(_ type: ResourceType) -> [String] { store.list(type, namespace: "kiada").items.map(\.name) }

    private static func refusal(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return (error as? APIError)?.message }
        return nil
    }

    @Test("an object with a finalizer stays until somebody takes it away; none can be added meanwhile")
    func finalizer() throws {
        var service = Cluster.service("fin", ["ports": [["port": 80]]])
        service.finalizers = ["example.com/wait"]
        let made = try store.create(service)
        let ending = try store.delete(made.key)
        #expect(ending.deletionTimestamp != nil && ending.deletionGracePeriodSeconds == 0)
        #expect(try store.delete(made.key) == ending)
        var more = ending
        more.finalizers.append("example.com/more")
        #expect(
            Self.refusal { _ = try store.update(more) }?.hasSuffix(
                #"metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/more"}"#
            ) == true)
        let address = ending.json["spec"]?["clusterIP"]
        var free = ending
        free.finalizers = []
        _ = try store.update(free)
        #expect(store.get(made.key) == nil)
        // Its address is free again.
        _ = try store.create(Cluster.service("next", ["clusterIP": address ?? .null, "ports": [["port": 80]]]))
    }

    @Test("a pod with a finalizer ends, and stays until it is taken away")
    func pod() throws {
        var pod = Cluster.pod("fin")
        pod.finalizers = ["example.com/wait"]
        let key = try store.create(pod).key
        #expect(try store.delete(key).deletionGracePeriodSeconds == 30)
        #expect(try store.delete(key, gracePeriod: 0).deletionGracePeriodSeconds == 0)
        let version = store.get(key)?.resourceVersion
        _ = try store.delete(key, gracePeriod: 0)
        #expect(version != nil && store.get(key)?.resourceVersion == version)
        _ = try store.modify(key) { $0.finalizers = [] }
        #expect(store.get(key) == nil)
    }

    @Test("names of finalizers and owners are checked")
    func rules() throws {
        var service = Cluster.service("bad", ["ports": [["port": 80]]])
        service.finalizers = ["nope"]
        #expect(
            Self.refusal { _ = try store.create(service) }
                == #"Service "bad" is invalid: metadata.finalizers[0]: Invalid value: "nope": name is neither a standard finalizer name nor is it fully qualified"#
        )
        service.finalizers = []
        service.json["metadata"]?["ownerReferences"] = [
            ["apiVersion": "v1", "kind": "Service", "name": "a", "uid": ""]
        ]
        #expect(
            Self.refusal { _ = try store.create(service) }
                == #"Service "bad" is invalid: metadata.ownerReferences.uid: Invalid value: "": must not be empty"#)
    }

    @Test("--cascade=orphan leaves ReplicaSets and pods; the same Deployment takes them over again")
    mutating func orphan() async throws {
        let made = try store.create(.webDeployment(replicas: 2))
        try await driven.settle()
        let (sets, pods) = (names(.replicasets), names(.pods))
        #expect(sets.count == 1 && pods.count == 2)
        _ = try store.delete(made.key, propagation: .orphan)
        try await driven.settle()
        #expect(store.get(made.key) == nil && names(.replicasets) == sets && names(.pods) == pods)
        #expect(store.list(.replicasets).items.allSatisfy { $0.ownerReferences.isEmpty })
        let again = try store.create(.webDeployment(replicas: 2))
        try await driven.settle()
        #expect(names(.replicasets) == sets && names(.pods) == pods)
        #expect(store.list(.replicasets).items.first?.ownerReferences.first?.uid == again.uid)
    }

    @Test("--cascade=foreground: the owner goes after the last of its pods")
    mutating func foreground() async throws {
        let made = try store.create(.webDeployment(replicas: 2))
        try await driven.settle()
        _ = try store.delete(made.key, propagation: .foreground)
        try await driven.settle()
        #expect(store.get(made.key)?.finalizers == ["foregroundDeletion"])
        #expect(store.list(.replicasets).items.first?.deletionTimestamp != nil)
        let pods = store.list(.pods, namespace: "kiada").items
        #expect(pods.count == 2 && pods.allSatisfy { $0.deletionTimestamp != nil })
        for pod in pods {
            #expect(store.get(made.key) != nil)
            _ = try store.delete(pod.key, gracePeriod: 0)
            try await driven.settle()
        }
        #expect(store.get(made.key) == nil && names(.replicasets).isEmpty && names(.pods).isEmpty)
    }

    @Test("a dependent that somebody else owns too stays, and loses only the owner that goes")
    mutating func shared() async throws {
        let (first, second) = (
            try store.create(Cluster.service("first", ["ports": [["port": 80]]])),
            try store.create(Cluster.service("second", ["ports": [["port": 80]]]))
        )
        var owned = KubeObject(.configmaps, namespace: "kiada", name: "owned")
        owned.ownerReferences = [first, second].map { owner in
            var json = OwnerReference(controller: owner).json
            json["controller"] = nil
            return OwnerReference(json) ?? OwnerReference(controller: owner)
        }
        let key = try store.create(owned).key
        try await driven.settle()
        _ = try store.delete(first.key, propagation: .foreground)
        try await driven.settle()
        #expect(store.get(first.key) == nil && store.get(key)?.ownerReferences.map(\.name) == ["second"])
        _ = try store.delete(second.key)
        try await driven.settle()
        #expect(store.get(key) == nil)
    }

    @Test("[sig-api-machinery] Garbage collector should not be blocked by dependency circle")
    mutating func circle() async throws {
        func map(_ name: String, ownedBy owner: KubeObject?) -> KubeObject {
            var map = KubeObject(.configmaps, namespace: "kiada", name: name)
            map.ownerReferences = owner.map { [OwnerReference(controller: $0)] } ?? []
            return map
        }
        let first = try store.create(map("a", ownedBy: nil))
        let second = try store.create(map("b", ownedBy: first))
        let third = try store.create(map("c", ownedBy: second))
        _ = try store.modify(first.key) { $0.ownerReferences = [OwnerReference(controller: third)] }
        try await driven.settle()
        _ = try store.delete(first.key, propagation: .foreground)
        try await driven.settle()
        #expect(names(.configmaps).isEmpty)
    }
}
