import ClusterModel
import ClusterStore
import Testing

@testable import ControlPlane

@Suite("3.10 what is said about topology hints")
struct HintEventTests {
    private static func node(_ name: String, zone: String?, cpu: String? = "4") -> KubeObject {
        var node = KubeObject(.nodes, name: name)
        if let zone { node.labels = ["topology.kubernetes.io/zone": zone] }
        node.json["status"] = ["conditions": [["type": "Ready", "status": "True"]]]
        if let cpu { node.json["status"]?["allocatable"] = ["cpu": .string(cpu)] }
        return node
    }

    private static func service() -> KubeObject {
        var service = Cluster.service(
            "quote", ["selector": ["app": "quote"], "ports": [["name": "http", "port": 80]]])
        service.annotations = ["service.kubernetes.io/topology-aware-hints": "Auto"]
        return service
    }

    private static func pod(_ number: Int, on node: String) -> KubeObject {
        var pod = Cluster.pod("p\(number)", ip: "10.244.0.\(number)")
        pod.json["spec"]?["nodeName"] = .string(node)
        return pod
    }

    @Test(
        "11: nodes without zones, or zones without enough pods: a Warning; enough of both: hints, and it is said once")
    func life() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Self.node("n1", zone: nil))
        _ = try store.create(Self.service())
        _ = try store.create(Self.pod(1, on: "n1"))
        try await driven.settle()
        var said = [
            "Warning TopologyAwareHintsDisabled Insufficient Node information: allocatable CPU or zone not specified on "
                + "one or more nodes, addressType: IPv4"
        ]
        #expect(driven.events(about: "quote") == said)
        _ = try store.modify(ObjectKey(.nodes, name: "n1")) { $0.labels = ["topology.kubernetes.io/zone": "a"] }
        try await driven.settle()
        said.append("Warning TopologyAwareHintsDisabled Nodes only ready in one zone, addressType: IPv4")
        #expect(driven.events(about: "quote") == said.sorted())
        _ = try store.create(Self.node("n2", zone: "b"))
        try await driven.settle()
        said.append(
            "Warning TopologyAwareHintsDisabled Insufficient number of endpoints (1 endpoints, 2 zones), addressType: IPv4"
        )
        #expect(driven.events(about: "quote") == said.sorted())
        for number in 2...4 { _ = try store.create(Self.pod(number, on: "n1")) }
        try await driven.settle()
        said.append("Normal TopologyAwareHintsEnabled Topology Aware Hints has been enabled, addressType: IPv4")
        #expect(driven.events(about: "quote") == said.sorted())
        #expect(driven.endpoints(of: "quote").flatMap(\.zoneHints).sorted() == ["a", "a", "b", "b"])
        for number in 5...8 { _ = try store.create(Self.pod(number, on: "n2")) }
        try await driven.settle()
        #expect(driven.events(about: "quote") == said.sorted())
        #expect(store.list(.events).items.allSatisfy { $0.json["count"] == 1 })
        _ = try store.modify(Self.service().key) { $0.annotations = [:] }
        try await driven.settle()
        said.append("Warning TopologyAwareHintsDisabled Topology Aware Hints has been disabled, addressType: IPv4")
        #expect(driven.events(about: "quote") == said.sorted())
        #expect(driven.endpoints(of: "quote").flatMap(\.zoneHints).isEmpty)
    }

    @Test("3.10a trafficDistribution: zones for ready endpoints, nodes too with PreferSameNode; the annotation wins")
    func distribution() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Self.node("n1", zone: "a"))
        for distribution in ["PreferClose", "PreferSameZone", "PreferSameNode"] {
            _ = try store.create(
                Cluster.service(
                    distribution.lowercased(),
                    [
                        "selector": ["app": "quote"], "ports": [["port": 80]],
                        "trafficDistribution": .string(distribution),
                    ]))
        }
        _ = try store.create(Self.pod(1, on: "n1"))
        var unready = Cluster.pod("unready", ip: "10.244.0.9", isReady: false)
        unready.json["spec"]?["nodeName"] = "n1"
        _ = try store.create(unready)
        try await driven.settle()
        for name in ["preferclose", "prefersamezone", "prefersamenode"] {
            let endpoints = driven.endpoints(of: name)
            #expect(endpoints.filter(\.isReady).map(\.zoneHints) == [["a"]])
            #expect(endpoints.filter(\.isReady).map(\.nodeHints) == [name == "prefersamenode" ? ["n1"] : []])
            #expect(endpoints.filter { !$0.isReady }.allSatisfy { $0.zoneHints.isEmpty && $0.nodeHints.isEmpty })
            #expect(endpoints.allSatisfy { $0.zone == "a" && $0.nodeName == "n1" })
        }
        let key = ObjectKey(.services, namespace: "kiada", name: "preferclose")
        _ = try store.modify(key) { $0.annotations["service.kubernetes.io/topology-mode"] = "Auto" }
        try await driven.settle()
        #expect(driven.endpoints(of: "preferclose").flatMap(\.zoneHints).isEmpty)
    }

    @Test("a Service whose hints come and go in quick succession is told about 25 times, then every five minutes")
    func bounded() throws {
        let cluster = try Cluster()
        let recorder = EventRecorder(cluster.store) { [clock = cluster.clock] in clock.seconds }
        let service = try cluster.store.create(Self.service())
        func record(_ number: Int) -> Int {
            recorder.record(service, by: "test", isWarning: true, reason: "R", message: "\(number)")
            return cluster.store.list(.events).items.count
        }
        for number in 1...25 { #expect(record(number) == number) }
        #expect(record(26) == 25)
        recorder.record(service, by: "other", isWarning: true, reason: "R", message: "26")
        #expect(cluster.store.list(.events).items.count == 26)
        cluster.clock.advance(by: 299)
        #expect(record(27) == 26)
        cluster.clock.advance(by: 1)
        #expect(record(28) == 27)
        #expect(record(29) == 27)
    }
}
