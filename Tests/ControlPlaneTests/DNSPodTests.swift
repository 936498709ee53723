import ClusterModel
import Logging
import NetTypes
import Testing

@testable import ClusterStore
@testable import ControlPlane

@Suite("S35, S43 the pod of the name server")
struct DNSPodTests {
    private let cluster: Cluster
    private let pod: DNSPod
    private let keeper: BuiltInKeeper

    init() throws {
        cluster = try Cluster()
        try BuiltInObjects.create(in: cluster.store, networks: cluster.networks, nodes: [])
        let address = try #require(IPAddress("127.18.0.2"))
        pod = DNSPod(cluster.store, node: "here", address: address, now: { [clock = cluster.clock] in clock.seconds })
        keeper = BuiltInKeeper(
            cluster.store, networks: cluster.networks, dnsPod: pod,
            logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try pod.restore()
    }

    private func present() throws -> KubeObject { try #require(cluster.store.get(pod.key)) }

    /// Lets the keeper see that the pod is as it is now.
    private func notice(_ kind: WatchEvent.Kind, _ object: KubeObject) {
        keeper.handle([WatchEvent(kind: kind, object: object, revision: 1)])
    }

    @Test("its ports are the node's, as those of every pod on the node's network")
    func ports() throws {
        let ports = try present().json["spec"]?["containers"]?[0]?["ports"]?.arrayValue ?? []
        #expect(ports.map { $0["hostPort"]?.intValue } == [53, 53, 9153])
        #expect(ports.allSatisfy { $0["hostPort"] == $0["containerPort"] })
    }

    @Test("it is found by kube-dns's label, at the node's address, and Ready only while names are answered there")
    func condition() throws {
        #expect(try present().labels == ["k8s-app": "kube-dns"] && Pod(present()).isMirror)
        #expect(try !Pod(present()).isReady)
        try pod.set(.serving)
        let serving = try Pod(present())
        #expect(serving.isReady && serving.phase == "Running" && serving.addresses.map(\.description) == ["127.18.0.2"])
        let since = try present().json["status"]?["startTime"]
        cluster.clock.advance(by: 60)
        let version = try present().resourceVersion
        try pod.set(.serving)
        #expect(try present().resourceVersion == version && present().json["status"]?["startTime"] == since)
        try pod.set(.failed("the port is taken"))
        let waiting = try present().json["status"]?["containerStatuses"]?[0]?["state"]?["waiting"]
        #expect(waiting?["message"] == "the port is taken")
        #expect(try !Pod(present()).isReady)
    }

    @Test("whoever deletes it, gracefully or at once, has it back as it was")
    func deleted() throws {
        try pod.set(.serving)
        for grace in [nil, 0] {
            let before = try present()
            let gone = try cluster.store.delete(pod.key, gracePeriod: grace)
            notice(cluster.store.get(pod.key) == nil ? .deleted : .modified, gone)
            let after = try present()
            #expect(after.uid != before.uid && after.deletionTimestamp == nil)
            #expect(after.json["status"] == before.json["status"] && Pod(after).isReady)
        }
    }

    @Test("labels and a status that somebody takes away come back; labels that are added stay")
    func changed() throws {
        try pod.set(.serving)
        let changed = try cluster.store.modify(pod.key) { pod in
            pod.labels = ["mine": "1"]
            pod.json["status"] = ["phase": "Failed"]
        }
        notice(.modified, changed)
        #expect(try present().labels == ["k8s-app": "kube-dns", "mine": "1"])
        #expect(try Pod(present()).isReady)
        let version = try present().resourceVersion
        notice(.modified, try present())
        #expect(try present().resourceVersion == version)
    }

    @Test("what an earlier run has left goes, whatever its node was called")
    func earlier() throws {
        try BuiltInObjects.create(in: cluster.store, networks: cluster.networks, nodes: [])
        #expect(cluster.store.get(pod.key) == nil)
    }
}
