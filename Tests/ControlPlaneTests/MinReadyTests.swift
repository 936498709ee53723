import ClusterModel
import Logging
import Synchronization
import Testing

@testable import ClusterStore
@testable import ControlPlane

/// `minReadySeconds` of Deployments.
struct MinReadyTests {
    /// The time as the controller sees it.
    private final class Time: Sendable {
        let seconds = Mutex<Int64>(1_700_000_000)
        func advance(by seconds: Int64) { self.seconds.withLock { $0 += seconds } }
    }

    private let cluster: Cluster
    private let time = Time()

    init() throws { cluster = try Cluster() }

    private func events(_ type: ResourceType) -> [WatchEvent] {
        cluster.store.list(type).items.map { WatchEvent(kind: .modified, object: $0, revision: 1) }
    }

    private func available(_ type: ResourceType) -> Int? {
        cluster.store.list(type).items.first?.json["status"]?["availableReplicas"]?.intValue
    }

    @Test("A pod is available once it has been ready for that long, and the controller says when to look again")
    func waits() throws {
        let time = time
        var controller = WorkloadController(
            cluster.store, events: EventRecorder(cluster.store, now: { 0 }),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { time.seconds.withLock { $0 } }
        var deployment = KubeObject(.deployments, namespace: "kiada", name: "web")
        deployment.json["spec"] = [
            "replicas": 1, "minReadySeconds": 10, "progressDeadlineSeconds": 2_147_483_647,
            "selector": ["matchLabels": ["app": "web"]],
            "template": [
                "metadata": ["labels": ["app": "web"]],
                "spec": ["containers": [["name": "web", "image": "kiada/quote:1.0"]]],
            ],
        ]
        _ = try cluster.store.create(deployment)
        controller.handle(events(.deployments))
        let pod = try #require(cluster.store.list(.pods).items.first)
        #expect(controller.dueTime == nil)
        _ = try cluster.store.modify(pod.key) { pod in
            pod.json["status"] = [
                "phase": "Running",
                "conditions": [
                    ["type": "Ready", "status": "True", "lastTransitionTime": "2023-11-14T22:13:20Z"]
                ],
            ]
        }
        controller.handle(events(.pods))
        #expect(available(.replicasets) == nil)
        #expect(controller.dueTime == 1_700_000_010)
        time.advance(by: 9)
        controller.handle([])
        #expect(available(.replicasets) == nil)
        time.advance(by: 1)
        controller.handle([])
        #expect(available(.replicasets) == 1)
        #expect(available(.deployments) == 1)
        #expect(controller.dueTime == nil)
    }
}
