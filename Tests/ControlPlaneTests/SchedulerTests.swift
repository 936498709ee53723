import ClusterModel
import Logging
import NetTypes
import Testing

@testable import ClusterStore
@testable import ControlPlane

/// Which node a pod gets.
struct SchedulerTests {
    private let cluster: Cluster

    init() throws { cluster = try Cluster() }

    private func node(_ name: String, zone: String) throws {
        let address = try #require(IPAddress("127.18.0.2"))
        _ = try cluster.store.create(
            BuiltInObjects.node(name: name, address: address, architecture: "amd64", zone: zone))
    }

    private func pod(_ name: String, _ spec: [String: JSONValue] = [:]) throws {
        var pod = Cluster.pod(name)
        for (key, value) in spec { pod.json["spec"]?[key] = value }
        _ = try cluster.store.create(pod)
    }

    private func stored(_ name: String) -> KubeObject? {
        cluster.store.get(ObjectKey(.pods, namespace: "kiada", name: name))
    }

    private func nodes() -> [String?] {
        cluster.store.list(.pods).items.map { $0.json["spec"]?["nodeName"]?.stringValue }
    }

    /// A scheduler that has seen everything up to now.
    private func scheduler() -> Scheduler {
        Scheduler(
            cluster.store, events: EventRecorder(cluster.store) { 1_700_000_000 },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { 1_700_000_000 }
    }

    private func events(_ type: ResourceType) -> [WatchEvent] {
        cluster.store.list(type).items.map { WatchEvent(kind: .added, object: $0, revision: 1) }
    }

    @Test("Pods are spread over the nodes; those that name a node keep it")
    func spread() throws {
        for (name, zone) in [("n1", "a"), ("n2", "b"), ("n3", "a")] { try node(name, zone: zone) }
        try pod("a", ["nodeName": "n1"])
        for name in ["b", "c", "d", "e"] { try pod(name) }
        var scheduler = scheduler()
        scheduler.handle(events(.pods))
        #expect(nodes() == ["n1", "n2", "n3", "n1", "n2"])
        // The events of its own writes change nothing.
        scheduler.handle(events(.pods))
        #expect(nodes() == ["n1", "n2", "n3", "n1", "n2"])
    }

    @Test("nodeSelector is obeyed; a pod that fits nowhere waits, says so, and is placed once a node fits")
    func selector() throws {
        try node("n1", zone: "a")
        try pod("p", ["nodeSelector": ["topology.kubernetes.io/zone": "b"]])
        var scheduler = scheduler()
        scheduler.handle(events(.pods))
        let condition = stored("p")?.json["status"]?["conditions"]?.arrayValue?.last
        #expect(condition?["reason"] == "Unschedulable")
        #expect(
            condition?["message"]?.stringValue
                == "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are "
                + "available: 1 Preemption is not helpful for scheduling.")
        let revision = stored("p")?.resourceVersion
        scheduler.handle(events(.pods))
        #expect(stored("p")?.resourceVersion == revision)
        try node("n2", zone: "b")
        scheduler.handle(events(.nodes))
        #expect(nodes() == ["n2"])
    }

    @Test("A node that is cordoned gets no pods")
    func cordoned() throws {
        try node("n1", zone: "a")
        try node("n2", zone: "a")
        _ = try cluster.store.modify(ObjectKey(.nodes, name: "n1")) { $0.json["spec"]?["unschedulable"] = true }
        try pod("p")
        var scheduler = scheduler()
        scheduler.handle(events(.pods))
        #expect(nodes() == ["n2"])
    }

    @Test("A pod keeps its node when its manifest is applied again")
    func keepsNode() throws {
        try node("n1", zone: "a")
        try pod("p")
        var scheduler = scheduler()
        scheduler.handle(events(.pods))
        _ = try cluster.store.update(Cluster.pod("p"))
        #expect(nodes() == ["n1"])
    }
}
