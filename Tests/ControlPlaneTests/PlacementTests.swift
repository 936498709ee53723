import ClusterModel
import ClusterStore
import Testing

@testable import ControlPlane

@Suite("Taints and node affinity")
struct PlacementTests {
    private static func node(_ name: String, labels: [String: String] = [:], taints: JSONValue? = nil) -> KubeObject {
        var node = KubeObject(.nodes, name: name)
        node.labels = labels
        node.json["status"] = ["conditions": [["type": "Ready", "status": "True"]]]
        if let taints { node.json["spec"] = ["taints": taints] }
        return node
    }

    private static func pod(_ name: String, _ spec: [String: JSONValue] = [:]) -> KubeObject {
        var pod = Cluster.pod(name)
        for (key, value) in spec { pod.json["spec"]?[key] = value }
        return pod
    }

    private static let affinity: JSONValue = [
        "nodeAffinity": [
            "requiredDuringSchedulingIgnoredDuringExecution": [
                "nodeSelectorTerms": [["matchExpressions": [["key": "gpu", "operator": "Exists"]]]]
            ]
        ]
    ]

    private func nodeName(_ driven: Driven, _ pod: String) -> String? {
        let key = ObjectKey(.pods, namespace: "kiada", name: pod)
        return driven.cluster.store.get(key)?.json["spec"]?["nodeName"]?.stringValue
    }

    @Test("a pod that fits nowhere says why in the scheduler's words, once, and is placed when a node comes that fits")
    func refusal() async throws {
        var driven = try Driven(schedules: true)
        let store = driven.cluster.store
        _ = try store.create(Self.node("n1"))
        _ = try store.create(
            Self.node("n2", labels: ["gpu": ""], taints: [["key": "dedicated", "value": "db", "effect": "NoSchedule"]]))
        var cordoned = Self.node("n3", labels: ["gpu": ""])
        cordoned.json["spec"] = ["unschedulable": true]
        _ = try store.create(cordoned)
        _ = try store.create(Self.pod("p", ["affinity": Self.affinity]))
        try await driven.settle()
        let message =
            "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
            + "1 node(s) had untolerated taint {dedicated: db}, 1 node(s) were unschedulable. "
            + "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
        #expect(driven.events(about: "p") == ["Warning FailedScheduling " + message])
        let key = ObjectKey(.pods, namespace: "kiada", name: "p")
        #expect(store.get(key)?.json["status"]?["conditions"]?.arrayValue?.last?["message"] == .string(message))
        _ = try store.modify(ObjectKey(.nodes, name: "n2")) { $0.json["spec"]?["taints"] = nil }
        try await driven.settle()
        #expect(nodeName(driven, "p") == "n2")
        #expect(driven.events(about: "p").first == "Normal Scheduled Successfully assigned kiada/p to n2")
    }

    @Test("a toleration lets a pod onto a tainted node; PreferNoSchedule and preferences only decide between nodes")
    func preferences() async throws {
        var driven = try Driven(schedules: true)
        let store = driven.cluster.store
        let taint: JSONValue = [["key": "k", "value": "v", "effect": "NoSchedule"]]
        _ = try store.create(Self.node("n1", taints: [["key": "slow", "effect": "PreferNoSchedule"]]))
        _ = try store.create(Self.node("n2", labels: ["zone": "b"], taints: taint))
        _ = try store.create(Self.node("n3"))
        let tolerations: JSONValue = [["key": "k", "operator": "Exists"]]
        _ = try store.create(
            Self.pod(
                "liking",
                [
                    "tolerations": tolerations,
                    "affinity": [
                        "nodeAffinity": [
                            "preferredDuringSchedulingIgnoredDuringExecution": [
                                [
                                    "weight": 1,
                                    "preference": ["matchExpressions": [["key": "zone", "operator": "Exists"]]],
                                ]
                            ]
                        ]
                    ],
                ]))
        for name in ["a", "b"] { _ = try store.create(Self.pod(name)) }
        try await driven.settle()
        #expect(nodeName(driven, "liking") == "n2")
        #expect(nodeName(driven, "a") == "n3" && nodeName(driven, "b") == "n3")
    }

    @Test(
        "NoExecute makes pods go: at once, or when the time that they tolerate it has passed; NoSchedule lets them be")
    func eviction() async throws {
        var driven = try Driven(schedules: true)
        let store = driven.cluster.store
        _ = try store.create(Self.node("n1"))
        _ = try store.create(Self.pod("goes"))
        for (name, seconds) in [("waits", 60), ("stays", nil)] as [(String, Int?)] {
            var toleration: JSONValue = ["key": "broken", "operator": "Exists", "effect": "NoExecute"]
            toleration["tolerationSeconds"] = seconds.map { JSONValue($0) }
            _ = try store.create(Self.pod(name, ["tolerations": [toleration]]))
        }
        try await driven.settle()
        func ending() -> [String] {
            store.list(.pods).items.filter { $0.deletionTimestamp != nil }.map(\.name)
        }
        let node = ObjectKey(.nodes, name: "n1")
        _ = try store.modify(node) { $0.json["spec"] = ["taints": [["key": "x", "effect": "NoSchedule"]]] }
        try await driven.settle()
        #expect(ending().isEmpty)
        _ = try store.modify(node) { $0.json["spec"] = ["taints": [["key": "broken", "effect": "NoExecute"]]] }
        try await driven.settle()
        #expect(ending() == ["goes"])
        #expect(
            driven.events(about: "goes").contains("Normal TaintManagerEviction Marking for deletion Pod kiada/goes"))
        driven.cluster.clock.advance(by: 59)
        driven.tick()
        #expect(ending() == ["goes"])
        driven.cluster.clock.advance(by: 1)
        driven.tick()
        #expect(ending() == ["goes", "waits"])
    }

    @Test("a taint that is lifted in time spares the pod")
    func lifted() async throws {
        var driven = try Driven(schedules: true)
        let store = driven.cluster.store
        _ = try store.create(Self.node("n1"))
        _ = try store.create(
            Self.pod("p", ["tolerations": [["operator": "Exists", "tolerationSeconds": 10, "effect": "NoExecute"]]]))
        let node = ObjectKey(.nodes, name: "n1")
        try await driven.settle()
        _ = try store.modify(node) { $0.json["spec"] = ["taints": [["key": "broken", "effect": "NoExecute"]]] }
        try await driven.settle()
        _ = try store.modify(node) { $0.json["spec"] = [:] }
        try await driven.settle()
        driven.cluster.clock.advance(by: 100)
        driven.tick()
        #expect(store.list(.pods).items.allSatisfy { $0.deletionTimestamp == nil })
    }

    @Test(
        "taints that no node may have",
        arguments: [
            (
                [["key": "k", "effect": "Never"]],
                #"spec.taints[0].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "PreferNoSchedule""#
            ),
            ([["key": "k"]], "spec.taints[0].effect: Required value"),
            (
                [["key": "k", "effect": "NoSchedule"], ["key": "k", "value": "v", "effect": "NoSchedule"]],
                #"spec.taints[1]: Duplicate value: {"Key":"k","Value":"v","Effect":"NoSchedule","TimeAdded":null}"#
            ),
        ] as [(JSONValue, String)])
    func badTaints(taints: JSONValue, message: String) throws {
        let store = try Cluster().store
        let error = #expect(throws: APIError.self) { try store.create(Self.node("n1", taints: taints)) }
        #expect(error?.message == #"Node "n1" is invalid: "# + message)
    }
}
