import ClusterModel
import ClusterStore
import Testing

@testable import ControlPlane

@Suite("3.8 the time of the change that made endpoints differ")
struct TriggerTimeTests {
    private static let annotation = "endpoints.kubernetes.io/last-change-trigger-time"
    private static let created = "2023-11-14T22:13:20Z"
    private static let quote: JSONValue = ["selector": ["app": "quote"], "ports": [["port": 80]]]

    private static func ready(_ pod: KubeObject, since time: String, _ isReady: Bool = true) -> KubeObject {
        var pod = pod
        pod.json["status"]?["conditions"] = [
            ["type": "Ready", "status": isReady ? "True" : "False", "lastTransitionTime": .string(time)]
        ]
        return pod
    }

    private func times(_ driven: Driven) -> [String?] {
        let store = driven.cluster.store
        let slices = store.list(.endpointslices, namespace: "kiada").items
        return (slices + [driven.object(of: "quote")].compactMap(\.self)).map { $0.annotations[Self.annotation] }
    }

    @Test("first the Service's creation, then a pod's readiness; without a known time it is removed")
    func life() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Cluster.service("quote", Self.quote))
        try await driven.settle()
        #expect(times(driven) == [Self.created, Self.created])
        let pod = Self.ready(Cluster.pod("a", ip: "10.244.0.2"), since: "2023-11-15T00:00:00Z")
        _ = try store.create(pod)
        try await driven.settle()
        #expect(times(driven) == ["2023-11-15T00:00:00Z", "2023-11-15T00:00:00Z"])
        _ = try store.modify(pod.key) { $0 = Self.ready($0, since: "2023-11-15T00:00:07Z", false) }
        try await driven.settle()
        #expect(times(driven) == ["2023-11-15T00:00:07Z", "2023-11-15T00:00:07Z"])
        // Another label of the Service is written, too, and no time is known for it.
        let key = ObjectKey(.services, namespace: "kiada", name: "quote")
        _ = try store.modify(key) { $0.labels["team"] = "a" }
        try await driven.settle()
        #expect(times(driven) == [nil, nil])
    }

    @Test(
        "of several changes at once the earliest counts, as in the real controllers; what changes nothing writes nothing"
    )
    func several() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(Cluster.service("quote", Self.quote))
        try await driven.settle()
        for (name, second) in [("a", 9), ("b", 4)] {
            _ = try store.create(
                Self.ready(Cluster.pod(name, ip: "10.244.0.\(second)"), since: "2023-11-15T00:00:0\(second)Z"))
        }
        try await driven.settle()
        #expect(times(driven) == ["2023-11-15T00:00:04Z", "2023-11-15T00:00:04Z"])
        let before = store.list(.endpointslices).items + store.list(.endpoints).items
        _ = try store.modify(ObjectKey(.pods, namespace: "kiada", name: "a")) { $0.annotations["x"] = "y" }
        try await driven.settle()
        #expect(store.list(.endpointslices).items + store.list(.endpoints).items == before)
    }
}
