import ClusterModel
import ClusterStore
import Testing

@testable import ControlPlane

@Suite("Whose pods and revisions are")
struct WorkloadOwnershipTests {
    private var driven: Driven
    private var store: Store { driven.cluster.store }

    init() throws { driven = try Driven() }

    private func pods() -> [KubeObject] {
        store.list(.pods, namespace: "kiada").items.filter { $0.deletionTimestamp == nil }
    }

    private func revisions() -> [String] {
        store.list(.replicasets).items.compactMap { $0.annotations["deployment.kubernetes.io/revision"] }.sorted()
    }

    @Test("a pod that is relabelled is let go and replaced; one that comes back is one too many")
    mutating func released() async throws {
        _ = try store.create(.webDeployment("a", replicas: 1))
        try await driven.settle()
        let pod = try #require(pods().first)
        _ = try store.modify(pod.key) { $0.labels["app"] = "debug" }
        try await driven.settle()
        #expect(pods().count == 2 && store.get(pod.key)?.ownerReferences.isEmpty == true)
        _ = try store.modify(pod.key) { $0.labels["app"] = "web" }
        try await driven.settle()
        #expect(pods().count == 1)
    }

    @Test("pods that nobody controls are taken by a ReplicaSet that selects them, whoever was first")
    mutating func adopted() async throws {
        var set = KubeObject(.replicasets, namespace: "kiada", name: "set")
        set.json["spec"] = KubeObject.webDeployment("a", replicas: 1).json["spec"]
        set.json["spec"]?["replicas"] = 2
        let before = try store.create(Cluster.pod("before", labels: ["app": "web"])).key
        let other = try store.create(Cluster.pod("other", labels: ["app": "else"])).key
        let uid = try store.create(set).uid
        try await driven.settle()
        #expect(store.get(before)?.ownerReferences.first?.uid == uid)
        #expect(store.get(other)?.ownerReferences.isEmpty == true)
        #expect(pods().count { $0.labels["app"] == "web" } == 2)
        // The third is too many; which of the three goes is the ReplicaSet's choice.
        _ = try store.create(Cluster.pod("after", labels: ["app": "web"]))
        try await driven.settle()
        #expect(pods().count { $0.labels["app"] == "web" } == 2)
    }

    @Test("kubectl's undo writes an empty time into the template: it is the same revision all the same")
    mutating func undone() async throws {
        _ = try store.create(.webDeployment("a", replicas: 1))
        try await driven.settle()
        _ = try store.update(.webDeployment("b", replicas: 1))
        try await driven.settle()
        #expect(revisions() == ["1", "2"])
        _ = try store.update(
            .webDeployment("a", replicas: 1, metadata: ["creationTimestamp": .null, "annotations": [:]]))
        try await driven.settle()
        #expect(revisions() == ["2", "3"] && store.list(.replicasets).items.count == 2)
    }

    @Test("why there is a revision is told by its ReplicaSet too")
    mutating func changeCause() async throws {
        let key = try store.create(.webDeployment("a", replicas: 1)).key
        try await driven.settle()
        _ = try store.modify(key) { $0.annotations["kubernetes.io/change-cause"] = "first" }
        try await driven.settle()
        #expect(store.list(.replicasets).items.map { $0.annotations["kubernetes.io/change-cause"] } == ["first"])
        #expect(store.get(key)?.annotations["deployment.kubernetes.io/revision"] == "1")
    }

    @Test("a rollout that makes no progress is told so after its deadline, and a paused one that it is paused")
    mutating func progress() async throws {
        var deployment = KubeObject.webDeployment("a", replicas: 1)
        deployment.json["spec"]?["progressDeadlineSeconds"] = 60
        let key = try store.create(deployment).key
        try await driven.settle()
        func condition() -> [String] {
            let conditions = store.get(key)?.json["status"]?["conditions"]?.arrayValue ?? []
            let found = conditions.first { $0["type"]?.stringValue == "Progressing" }
            return ["status", "reason"].compactMap { found?[$0]?.stringValue }
        }
        #expect(condition() == ["True", "ReplicaSetUpdated"])
        driven.cluster.clock.advance(by: 59)
        driven.tick()
        #expect(condition() == ["True", "ReplicaSetUpdated"])
        driven.cluster.clock.advance(by: 1)
        driven.tick()
        #expect(condition() == ["False", "ProgressDeadlineExceeded"])
        for pod in pods() {
            _ = try store.modify(pod.key) {
                $0.json["status"] = ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]
            }
        }
        try await driven.settle()
        #expect(condition() == ["True", "NewReplicaSetAvailable"])
        _ = try store.modify(key) { $0.json["spec"]?["paused"] = true }
        try await driven.settle()
        #expect(condition() == ["Unknown", "DeploymentPaused"])
    }

    @Test("Events tell of scaling, and of pods that come, go or are refused")
    mutating func told() async throws {
        let key = try store.create(.webDeployment("a", replicas: 1)).key
        try await driven.settle()
        let set = try #require(store.list(.replicasets).items.first)
        #expect(
            driven.events(about: "web") == ["Normal ScalingReplicaSet Scaled up replica set \(set.name) from 0 to 1"])
        let pod = try #require(pods().first)
        #expect(driven.events(about: set.name) == ["Normal SuccessfulCreate Created pod: \(pod.name)"])
        _ = try store.modify(key) { $0.json["spec"]?["replicas"] = 0 }
        try await driven.settle()
        #expect(
            driven.events(about: "web").contains(
                "Normal ScalingReplicaSet Scaled down replica set \(set.name) from 1 to 0"))
        #expect(driven.events(about: set.name).contains("Normal SuccessfulDelete Deleted pod: \(pod.name)"))
    }
}
