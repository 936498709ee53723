import ClusterModel
import ClusterStore
import NetTypes
import Testing

@testable import ControlPlane

/// What the API server fills in, so that `kubectl get pod -o yaml` looks as in a cluster.
struct PodDefaultsTests {
    private let store: Store

    init() throws { store = try Cluster().store }

    private func made(_ spec: JSONValue) throws -> KubeObject {
        var pod = KubeObject(.pods, namespace: "kiada", name: "p")
        pod.json["spec"] = spec
        return try store.create(pod)
    }

    @Test("[sig-node] Pods: a pod with one container gets everything that a cluster gives it")
    func whole() throws {
        let pod = try made(["containers": [["name": "a", "image": "busybox"]]])
        let seconds: [String: JSONValue] = ["effect": "NoExecute", "operator": "Exists", "tolerationSeconds": 300]
        func toleration(_ key: String) -> JSONValue {
            .object(seconds.merging(["key": .string("node.kubernetes.io/\(key)")]) { $1 })
        }
        #expect(
            pod.json["spec"] == [
                "containers": [
                    [
                        "name": "a", "image": "busybox", "imagePullPolicy": "Always", "resources": [:],
                        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                    ]
                ],
                "dnsPolicy": "ClusterFirst", "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority",
                "priority": 0, "restartPolicy": "Always", "schedulerName": "default-scheduler", "securityContext": [:],
                "serviceAccount": "default", "serviceAccountName": "default", "terminationGracePeriodSeconds": 30,
                "tolerations": [toleration("not-ready"), toleration("unreachable")],
            ])
        #expect(pod.json["status"] == ["phase": "Pending", "qosClass": "BestEffort"])
        // Written again as it came, it is no other pod.
        var again = KubeObject(.pods, namespace: "kiada", name: "p")
        again.json["spec"] = ["containers": [["name": "a", "image": "busybox"]]]
        #expect(try store.update(again).resourceVersion == pod.resourceVersion)
    }

    @Test(
        "images with a tag or a digest are fetched once",
        arguments: [
            ("a", "Always"), ("a:latest", "Always"), ("host:5000/a", "Always"), ("a:1", "IfNotPresent"),
            ("host:5000/a:1", "IfNotPresent"), ("a@sha256:00", "IfNotPresent"),
        ])
    func pullPolicy(image: String, policy: JSONValue) throws {
        let pod = try made(["containers": [["name": "a", "image": .string(image)]]])
        #expect(pod.json["spec"]?["containers"]?[0]?["imagePullPolicy"] == policy)
    }

    @Test("volumes, fields, hooks and limits have their defaults, too")
    func parts() throws {
        let field: JSONValue = ["fieldRef": ["fieldPath": "status.podIP"]]
        let pod = try made([
            "containers": [
                [
                    "name": "a", "image": "a:1",
                    "env": [
                        ["name": "IP", "valueFrom": field],
                        ["name": "CPU", "valueFrom": ["resourceFieldRef": ["resource": "limits.cpu"]]],
                    ],
                    "lifecycle": ["preStop": ["httpGet": ["port": 80]]],
                    "resources": ["limits": ["cpu": "1", "memory": "1Mi"], "requests": ["cpu": "500m"]],
                ]
            ],
            "volumes": [
                ["name": "e"], ["name": "c", "configMap": ["name": "c"]], ["name": "h", "hostPath": ["path": "/h"]],
                [
                    "name": "p",
                    "projected": [
                        "sources": [["downwardAPI": ["items": [["path": "ip", "fieldRef": field["fieldRef"] ?? [:]]]]]]
                    ],
                ],
            ],
        ])
        let container = try #require(pod.json["spec"]?["containers"]?[0])
        #expect(container["env"]?[0]?["valueFrom"]?["fieldRef"]?["apiVersion"] == "v1")
        #expect(container["env"]?[1]?["valueFrom"]?["resourceFieldRef"]?["divisor"] == "0")
        #expect(container["lifecycle"]?["preStop"]?["httpGet"] == ["port": 80, "path": "/", "scheme": "HTTP"])
        #expect(container["resources"]?["requests"] == ["cpu": "500m", "memory": "1Mi"])
        #expect(pod.json["status"]?["qosClass"] == "Burstable")
        let volumes = try #require(pod.json["spec"]?["volumes"])
        #expect(volumes[0] == ["name": "e", "emptyDir": [:]])
        #expect(volumes[1]?["configMap"]?["defaultMode"] == 420)
        #expect(volumes[2]?["hostPath"] == ["path": "/h", "type": ""])
        #expect(volumes[3]?["projected"]?["defaultMode"] == 420)
        #expect(
            volumes[3]?["projected"]?["sources"]?[0]?["downwardAPI"]?["items"]?[0]?["fieldRef"]?["apiVersion"] == "v1")
    }

    @Test("[sig-node] Pods Extended: QOS class by limits and requests")
    func qualityOfService() {
        func quality(_ resources: JSONValue) -> QualityOfService {
            var pod = KubeObject(.pods, namespace: "kiada", name: "p")
            pod.json["spec"] = ["containers": [["name": "a", "resources": resources]]]
            return QualityOfService(pod)
        }
        let both: JSONValue = ["cpu": "100m", "memory": "1Mi"]
        #expect(quality(["limits": both, "requests": both]) == .guaranteed)
        #expect(quality(["limits": both]) == .guaranteed)
        #expect(quality(["limits": ["cpu": "1"]]) == .burstable)
        #expect(quality(["requests": both]) == .burstable)
        #expect(quality([:]) == .bestEffort)
    }

    @Test("[sig-apps] Deployment: a template gets the defaults of a spec, and not those of a pod")
    func template() throws {
        let made = try store.create(.webDeployment("a", replicas: 1))
        #expect(
            made.json["spec"]?["template"]?["spec"] == [
                "containers": [
                    [
                        "name": "web", "image": "a", "imagePullPolicy": "Always", "resources": [:],
                        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                    ]
                ],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                "securityContext": [:], "terminationGracePeriodSeconds": 30,
            ])
        #expect(made.json["status"] == [:])
    }

    @Test("a Deployment and its set that were stored before a default was known stay one revision")
    func olderDeployment() async throws {
        var driven = try Driven()
        let store = driven.cluster.store
        let key = try store.create(.webDeployment("a", replicas: 1)).key
        try await driven.settle()
        let set = try #require(store.list(.replicasets, namespace: "kiada").items.first)
        var old = set
        old.json["spec"]?["template"]?["spec"] = ["containers": [["name": "web", "image": "a"]]]
        var labels = set.json["spec"]?["template"]?["metadata"]?["labels"]?.stringMap ?? [:]
        labels["pod-template-hash"] = nil
        #expect(
            WorkloadRules.filledIn(old.json["spec"]?["template"] ?? [:]) == set.json["spec"]?["template"])
        _ = try store.modify(key) { $0.json["spec"]?["replicas"] = 2 }
        try await driven.settle()
        #expect(store.list(.replicasets, namespace: "kiada").items.count == 1)
    }

    @Test("pods of another scheduler, and gated ones, are left alone")
    func scheduling() async throws {
        var driven = try Driven(schedules: true)
        let store = driven.cluster.store
        let address = try #require(IPAddress("10.0.0.1"))
        _ = try store.create(BuiltInObjects.node(name: "node", address: address, architecture: "amd64"))
        for (name, spec) in [
            ("theirs", ["schedulerName": "mine"]), ("gated", ["schedulingGates": [["name": "a"]]]), ("ours", [:]),
        ] as [(String, [String: JSONValue])] {
            var pod = Cluster.pod(name)
            pod.json["status"] = nil
            pod.json["spec"] = .object((pod.json["spec"]?.objectValue ?? [:]).merging(spec) { $1 })
            _ = try store.create(pod)
        }
        try await driven.settle()
        func node(_ name: String) -> JSONValue? {
            store.get(ObjectKey(.pods, namespace: "kiada", name: name))?.json["spec"]?["nodeName"]
        }
        #expect(node("theirs") == nil && node("gated") == nil && node("ours") != nil)
        let gated = ObjectKey(.pods, namespace: "kiada", name: "gated")
        #expect(store.get(gated)?.json["status"]?["conditions"]?[0]?["reason"] == "SchedulingGated")
        _ = try store.modify(gated) { $0.json["spec"]?["schedulingGates"] = nil }
        try await driven.settle()
        #expect(node("gated") != nil)
    }
}
