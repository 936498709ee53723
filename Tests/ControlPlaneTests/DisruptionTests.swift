import ClusterModel
import ClusterStore
import Logging
import Testing

@testable import ControlPlane

@Suite("PodDisruptionBudgets, Leases and ServiceAccounts")
struct DisruptionTests {
    private let cluster: Cluster
    private var store: Store { cluster.store }
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws { cluster = try Cluster() }

    @Test("what a budget wants, and how many pods may go")
    func counts() {
        func allowed(_ spec: JSONValue, pods: Int, healthy: Int, scale: Int) -> [Int] {
            let count = DisruptionCount(spec, pods: pods, healthy: healthy, scale: scale)
            return [count.expected, count.desiredHealthy, count.allowed]
        }
        #expect(allowed(["minAvailable": 2], pods: 3, healthy: 3, scale: 0) == [3, 2, 1])
        #expect(allowed(["minAvailable": 3], pods: 3, healthy: 3, scale: 0) == [3, 3, 0])
        #expect(allowed(["minAvailable": "50%"], pods: 3, healthy: 3, scale: 3) == [3, 2, 1])
        #expect(allowed(["maxUnavailable": 1], pods: 3, healthy: 2, scale: 3) == [3, 2, 0])
        #expect(allowed(["maxUnavailable": "30%"], pods: 10, healthy: 10, scale: 10) == [10, 7, 3])
        #expect(allowed(["minAvailable": 0], pods: 0, healthy: 0, scale: 0) == [0, 0, 0])
    }

    private func budget(_ spec: JSONValue) throws -> ObjectKey {
        var object = KubeObject(.poddisruptionbudgets, namespace: "kiada", name: "b")
        object.json["spec"] = spec
        return try store.create(object).key
    }

    private func controller() -> DisruptionController {
        DisruptionController(store, logger: Self.logger) { [clock = cluster.clock] in clock.seconds }
    }

    @Test("[sig-apps] DisruptionController should observe PodDisruptionBudget status updated")
    func status() throws {
        let key = try budget(["selector": ["matchLabels": ["app": "quote"]], "minAvailable": 1])
        for name in ["a", "b", "c"] { _ = try store.create(Cluster.pod(name, isReady: name != "c")) }
        _ = try store.create(Cluster.pod("other", labels: ["app": "other"]))
        var controller = controller()
        controller.handle([WatchEvent(kind: .added, object: try #require(store.get(key)), revision: 1)])
        let status = try #require(store.get(key)?.json["status"])
        #expect(
            [status["expectedPods"], status["currentHealthy"], status["desiredHealthy"], status["disruptionsAllowed"]]
                == [3, 2, 1, 1])
        #expect(status["conditions"]?[0]?["reason"] == "SufficientPods" && status["observedGeneration"] == 1)
        // A pod that has been let go counts no more, until it is forgotten.
        _ = try store.modify(key) {
            $0.json["status"]?["disruptedPods"] = ["a": .string(Timestamp.text(unixSeconds: cluster.clock.seconds))]
        }
        let pod = try #require(store.get(ObjectKey(.pods, namespace: "kiada", name: "a")))
        controller.handle([WatchEvent(kind: .modified, object: pod, revision: 2)])
        #expect(store.get(key)?.json["status"]?["disruptionsAllowed"] == 0)
        cluster.clock.advance(by: 200)
        controller.handle([WatchEvent(kind: .modified, object: pod, revision: 3)])
        #expect(store.get(key)?.json["status"]?["disruptionsAllowed"] == 1)
    }

    @Test(
        "a budget's amounts are numbers or percentages, and only one of them is there",
        arguments: [
            (
                ["minAvailable": 1, "maxUnavailable": 1],
                #"spec: Invalid value: {"maxUnavailable":1,"minAvailable":1}: minAvailable and maxUnavailable cannot be both set"#
            ),
            (["minAvailable": -1], "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"),
            (["maxUnavailable": "101%"], #"spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%"#),
        ] as [(JSONValue, String)])
    func rules(spec: JSONValue, message: String) {
        let error = #expect(throws: APIError.self) { try budget(spec) }
        #expect(error?.message == "PodDisruptionBudget.policy \"b\" is invalid: \(message)")
    }

    @Test("[sig-node] Lease: durations are positive")
    func lease() {
        var lease = KubeObject(.leases, namespace: "kiada", name: "l")
        lease.json["spec"] = ["holderIdentity": "", "leaseDurationSeconds": 0, "leaseTransitions": -1]
        let error = #expect(throws: APIError.self) { try store.create(lease) }
        #expect(
            error?.causes.map(\.path) == ["spec.holderIdentity", "spec.leaseDurationSeconds", "spec.leaseTransitions"])
    }

    @Test("[sig-auth] ServiceAccounts: every namespace has a default one, which comes back")
    func serviceAccount() throws {
        let keeper = ServiceAccountKeeper(store, logger: Self.logger)
        let key = ObjectKey(.serviceaccounts, namespace: "kiada", name: "default")
        let namespace = try #require(store.get(ObjectKey(.namespaces, name: "kiada")))
        keeper.handle([WatchEvent(kind: .added, object: namespace, revision: 1)])
        let account = try #require(store.get(key))
        keeper.handle([WatchEvent(kind: .modified, object: namespace, revision: 2)])
        let gone = try store.delete(key)
        keeper.handle([WatchEvent(kind: .deleted, object: gone, revision: 3)])
        #expect(store.get(key) != nil && store.get(key)?.uid != account.uid)
    }
}
