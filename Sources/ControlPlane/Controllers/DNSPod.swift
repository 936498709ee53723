package import ClusterModel
package import ClusterStore
package import NetTypes
import Synchronization

/// The pod that stands for the name server in this process, as a mirror pod stands for a kubelet's static pod (S35, S43).
///
/// No container is run for it: it is Ready while the name server answers at the node's address. Whoever deletes or changes it
/// has it back at once, so nothing that is done to the object harms the server.
package final class DNSPod: Sendable {
    /// What the name server does.
    package enum Condition: Equatable, Sendable {
        case starting
        case serving
        /// It cannot be reached at the node's address, for this reason.
        case failed(String)
    }

    /// Where the name server is asked, in every cluster.
    package static let queryPort: UInt16 = 53
    /// Where its metrics are, as CoreDNS has them.
    package static let metricsPort: UInt16 = 9153

    /// The label by which the Service `kube-dns` and people find it.
    static let label = "k8s-app"
    private static let namespace = "kube-system"
    private static let container = "cluster-dns"

    private let store: Store
    private let node: String
    private let address: IPAddress
    private let now: @Sendable () -> Int64
    /// Since when, in seconds since 1970.
    private let condition: Mutex<(Condition, since: Int64)>

    /// - Parameters:
    ///   - address: the node's, where the name server listens too.
    ///   - now: seconds since 1970.
    package init(_ store: Store, node: String, address: IPAddress, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.node = node
        self.address = address
        self.now = now
        condition = Mutex((.starting, since: now()))
    }

    package var key: ObjectKey { ObjectKey(.pods, namespace: Self.namespace, name: "\(Self.container)-\(node)") }

    /// Says what the name server does from now on.
    package func set(_ new: Condition) throws(APIError) {
        let time = now()
        condition.withLock { if $0.0 != new { $0 = (new, since: time) } }
        try restore()
    }

    /// Makes the pod what it has to be; a pod that is so already is not written.
    package func restore() throws(APIError) {
        do throws(APIError) {
            try write(object)
        } catch {
            // Somebody else was faster, and the event of that brings the keeper here again.
            if error.reason != .alreadyExists, error.reason != .notFound { throw error }
        }
    }

    private func write(_ wanted: KubeObject) throws(APIError) {
        if let present = store.get(key) {
            if present.deletionTimestamp == nil, present.json["spec"]?["nodeName"] == wanted.json["spec"]?["nodeName"] {
                _ = try store.modify(key) { pod in
                    pod.labels.merge(wanted.labels) { $1 }
                    pod.annotations.merge(wanted.annotations) { $1 }
                    pod.json["status"] = wanted.json["status"]
                }
                return
            }
            _ = try store.delete(key, gracePeriod: 0)
        }
        _ = try store.create(wanted)
    }

    /// The pod with its status, as it has to be now.
    private var object: KubeObject {
        var pod = KubeObject(.pods, namespace: Self.namespace, name: key.name)
        pod.labels = [Self.label: "kube-dns"]
        pod.annotations = [Pod.mirrorAnnotation: "cluster-dns", "kubernetes.io/config.source": "process"]
        let ports: [JSONValue] = BuiltInObjects.dnsPorts.map { port in
            ["name": .string(port.name), "containerPort": JSONValue(port.number), "protocol": .string(port.proto)]
        }
        pod.json["spec"] = [
            "nodeName": .string(node), "hostNetwork": true, "dnsPolicy": "Default",
            "tolerations": [["operator": "Exists"]],
            "containers": [
                ["name": .string(Self.container), "image": .string(Self.image), "ports": .array(ports)]
            ],
        ]
        pod.json["status"] = status
        return pod
    }

    private static let image = "kiada/service-proxy:1.0"

    private var status: JSONValue {
        let (condition, since) = condition.withLock { $0 }
        let time = JSONValue.string(Timestamp.text(unixSeconds: since))
        let isReady = condition == .serving
        let state: JSONValue =
            switch condition {
            case .starting: ["waiting": ["reason": "ContainerCreating"]]
            case .serving: ["running": ["startedAt": time]]
            case .failed(let reason): ["waiting": ["reason": "ListenFailed", "message": .string(reason)]]
            }
        func entry(_ type: String, _ holds: Bool) -> JSONValue {
            var entry: JSONValue = [
                "type": .string(type), "status": holds ? "True" : "False", "lastProbeTime": .null,
                "lastTransitionTime": time,
            ]
            if !holds {
                entry["reason"] = "ContainersNotReady"
                entry["message"] = .string("containers with unready status: [\(Self.container)]")
            }
            return entry
        }
        return [
            "phase": isReady ? "Running" : "Pending", "startTime": time, "qosClass": "BestEffort",
            "hostIP": .string(address.description), "hostIPs": [["ip": .string(address.description)]],
            "podIP": .string(address.description), "podIPs": [["ip": .string(address.description)]],
            "conditions": [
                entry("PodReadyToStartContainers", true), entry("Initialized", true), entry("Ready", isReady),
                entry("ContainersReady", isReady), entry("PodScheduled", true),
            ],
            "containerStatuses": [
                [
                    "name": .string(Self.container), "image": .string(Self.image), "imageID": "",
                    "ready": .bool(isReady), "started": .bool(isReady), "restartCount": 0, "state": state,
                    "lastState": [:],
                ]
            ],
        ]
    }
}
