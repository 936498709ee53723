import ClusterModel
import ClusterStore
import Testing

@testable import ControlPlane

@Suite("Rolling updates")
struct RollingUpdateTests {
    @Test("25% of 4: one more, one less; nothing is ever below the minimum")
    func walk() throws {
        let quarter = try #require(RollingUpdate.Share("25%"))
        let update = RollingUpdate(desired: 4, maxSurge: quarter, maxUnavailable: quarter)
        #expect(update.maxSurge == 1 && update.maxUnavailable == 1)
        var new = RollingUpdate.Old(replicas: 0, available: 0)
        var old = RollingUpdate.Old(replicas: 4, available: 4)
        for _ in 0..<20 {
            let next = update.step(new: new, olds: [old])
            new.replicas = next.new
            old.replicas = next.olds[0]
            old.available = min(old.available, old.replicas)
            #expect(new.replicas + old.replicas <= 5)
            #expect(new.available + old.available >= 3)
            // One more pod becomes ready.
            new.available = min(new.available + 1, new.replicas)
        }
        #expect(new == RollingUpdate.Old(replicas: 4, available: 4) && old.replicas == 0)
    }

    @Test("pods that never become ready stop the update")
    func stuck() throws {
        let update = RollingUpdate(desired: 4, maxSurge: .percent(25), maxUnavailable: .percent(25))
        var new = RollingUpdate.Old(replicas: 0, available: 0)
        var old = RollingUpdate.Old(replicas: 4, available: 4)
        for _ in 0..<10 {
            let next = update.step(new: new, olds: [old])
            new.replicas = next.new
            old = RollingUpdate.Old(replicas: next.olds[0], available: min(old.available, next.olds[0]))
        }
        #expect(old.available == 3)
    }

    @Test("shares", arguments: [("25%", 10, true, 3), ("25%", 10, false, 2), ("3", 10, true, 3), ("0", 10, false, 0)])
    func shares(text: String, total: Int, roundsUp: Bool, expected: Int) throws {
        #expect(try #require(RollingUpdate.Share(text)).count(of: total, roundsUp: roundsUp) == expected)
    }

    @Test("[sig-apps] Deployment: proportional scaling in the middle of a rollout")
    func proportional() {
        let update = RollingUpdate(desired: 30, maxSurge: .number(3), maxUnavailable: .number(2))
        let sets = [RollingUpdate.Sharer(replicas: 5, most: 13), RollingUpdate.Sharer(replicas: 8, most: 13)]
        #expect(update.shared(among: sets) == [13, 20])
        let none = RollingUpdate(desired: 0, maxSurge: .number(3), maxUnavailable: .number(2))
        #expect(none.shared(among: sets) == [0, 0])
        let same = RollingUpdate(desired: 10, maxSurge: .number(3), maxUnavailable: .number(2))
        #expect(same.shared(among: sets) == [5, 8])
    }

    @Test("two zeros would never move: then one may be missing")
    func zeros() {
        let update = RollingUpdate(desired: 3, maxSurge: .number(0), maxUnavailable: .number(0))
        #expect(update.maxUnavailable == 1)
    }
}

@Suite("Deployments and ReplicaSets")
struct WorkloadControllerTests {
    private func pods(_ store: Store) -> [KubeObject] { store.list(.pods, namespace: "kiada").items }

    /// Makes all pods ready, and removes those that are ending, as a runtime would.
    private func run(_ store: Store) throws {
        for pod in pods(store) {
            if pod.deletionTimestamp != nil {
                _ = try store.delete(pod.key, gracePeriod: 0)
            } else if !Pod(pod).isReady {
                _ = try store.modify(pod.key) {
                    $0.json["status"] = ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]
                }
            }
        }
    }

    @Test("replicas come, are scaled, and go with the Deployment")
    func life() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        let made = try store.create(.webDeployment("a", replicas: 3))
        #expect(made.json["spec"]?["strategy"]?["rollingUpdate"]?["maxSurge"] == "25%")
        try await driven.settle()
        #expect(pods(store).count == 3)
        #expect(pods(store).allSatisfy { $0.name.hasPrefix("web-") && $0.labels["pod-template-hash"] != nil })
        try run(store)
        try await driven.settle()
        let status = try #require(store.get(made.key)?.json["status"])
        #expect(status["availableReplicas"] == 3 && status["observedGeneration"] == 1)
        _ = try store.modify(made.key) { $0.json["spec"]?["replicas"] = 1 }
        try await driven.settle()
        try run(store)
        try await driven.settle()
        #expect(pods(store).count == 1)
        _ = try store.delete(made.key)
        try await driven.settle()
        try run(store)
        try await driven.settle()
        #expect(pods(store).isEmpty && store.list(.replicasets).items.isEmpty)
    }

    @Test("a pod that goes is replaced")
    func replacement() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        _ = try store.create(.webDeployment("a", replicas: 3))
        try await driven.settle()
        let victim = try #require(pods(store).first)
        _ = try store.delete(victim.key, gracePeriod: 0)
        try await driven.settle()
        #expect(pods(store).count == 3 && !pods(store).contains { $0.name == victim.name })
    }

    @Test("a new template replaces all pods step by step, and the old one comes back with its revision")
    func update() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        let key = try store.create(.webDeployment("a", replicas: 4)).key
        try await driven.settle()
        try run(store)
        try await driven.settle()
        for image in ["b", "a"] {
            _ = try store.update(.webDeployment(image, replicas: 4))
            for _ in 0..<12 {
                try await driven.settle()
                let ready = pods(store).count { Pod($0).isReady && $0.deletionTimestamp == nil }
                #expect(ready >= 3)
                try run(store)
            }
            try await driven.settle()
            let images = pods(store).compactMap { $0.json["spec"]?["containers"]?[0]?["image"]?.stringValue }
            #expect(images == [image, image, image, image])
        }
        #expect(store.list(.replicasets).items.count == 2)
        #expect(store.get(key)?.annotations["deployment.kubernetes.io/revision"] == "3")
        #expect(store.get(key)?.generation == 3)
    }

    @Test("the selector has to match the template and stays")
    func rules() throws {
        let store = try Cluster().store
        var wrong = KubeObject.webDeployment("a", replicas: 3)
        wrong.json["spec"]?["selector"] = ["matchLabels": ["app": "other"]]
        let error = #expect(throws: APIError.self) { try store.create(wrong) }
        #expect(
            error?.message
                == #"Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`"#
        )
        _ = try store.create(.webDeployment("a", replicas: 3))
        var changed = wrong
        changed.json["spec"]?["template"]?["metadata"]?["labels"] = ["app": "other"]
        let immutable = #expect(throws: APIError.self) { try store.update(changed) }
        #expect(immutable?.message.contains("field is immutable") == true)
    }

    @Test(
        "the numbers of a Deployment and how it replaces pods are checked",
        arguments: [
            (
                ["strategy": ["type": "Recreate", "rollingUpdate": ["maxSurge": 1]]],
                "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"
            ),
            (
                ["strategy": ["rollingUpdate": ["maxSurge": 0, "maxUnavailable": 0]]],
                "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"
            ),
            (
                ["strategy": ["rollingUpdate": ["maxUnavailable": "101%"]]],
                #"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%"#
            ),
            (
                ["strategy": ["type": "Foo"]],
                #"spec.strategy: Unsupported value: {"type":"Foo"}: supported values: "Recreate", "RollingUpdate""#
            ),
            (
                ["progressDeadlineSeconds": 5, "minReadySeconds": 5],
                "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"
            ),
        ] as [([String: JSONValue], String)])
    func strategies(spec: [String: JSONValue], message: String) throws {
        var deployment = KubeObject.webDeployment("a", replicas: 1)
        for (key, value) in spec { deployment.json["spec"]?[key] = value }
        let store = try Cluster().store
        let error = #expect(throws: APIError.self) { try store.create(deployment) }
        #expect(error?.message == "Deployment.apps \"web\" is invalid: \(message)")
    }
}
