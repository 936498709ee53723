import ClusterModel
import ClusterStore
import ControlPlane
import NetTypes
import Synchronization

/// A store that decides as a cluster does, with addresses in a reproducible order.
struct Cluster {
    let store: Store
    let networks: ClusterNetworks
    /// What the store and the controllers take for the time.
    let clock = TestClock()

    init(_ ranges: [String] = ["10.96.0.0/16"], loadBalancers: String? = nil) throws {
        networks = ClusterNetworks(
            serviceRanges: ranges.compactMap { CIDR($0) }, loadBalancerRange: loadBalancers.flatMap { CIDR($0) })
        let admission = ClusterAdmission(networks, random: CountingGenerator())
        store = Store(admission: admission, source: SystemStoreSource { [clock] in clock.seconds })
        for name in ["default", "kiada"] { _ = try store.create(KubeObject(.namespaces, name: name)) }
    }

    static func service(_ name: String = "quote", _ spec: JSONValue, labels: [String: String] = [:]) -> KubeObject {
        var object = KubeObject(.services, namespace: "kiada", name: name)
        object.json["spec"] = spec
        object.labels = labels
        return object
    }

    /// The message of the refusal of a Service, or "created".
    func refusal(_ spec: JSONValue, name: String = "quote") -> String {
        do throws(APIError) {
            _ = try store.create(Self.service(name, spec))
            return "created"
        } catch {
            return error.message
        }
    }

    /// The message of the refusal of an update, or "updated".
    func updateRefusal(_ object: KubeObject) -> String {
        do throws(APIError) {
            _ = try store.update(object)
            return "updated"
        } catch {
            return error.message
        }
    }

    static func pod(
        _ name: String, labels: [String: String] = ["app": "quote"], ip: String? = nil, isReady: Bool = true,
        phase: String = "Running", ports: JSONValue = []
    ) -> KubeObject {
        var pod = KubeObject(.pods, namespace: "kiada", name: name)
        pod.labels = labels
        pod.json["spec"] = ["containers": [["name": "nginx", "image": "nginx", "ports": ports]]]
        var status: JSONValue = [
            "phase": .string(phase), "conditions": [["type": "Ready", "status": isReady ? "True" : "False"]],
        ]
        if let ip {
            status["podIP"] = .string(ip)
            status["podIPs"] = [["ip": .string(ip)]]
        }
        pod.json["status"] = status
        return pod
    }
}

/// Seconds since 1970 that a test moves on.
final class TestClock: Sendable {
    private let now = Mutex<Int64>(1_700_000_000)

    var seconds: Int64 { now.withLock { $0 } }

    func advance(by seconds: Int64) { now.withLock { $0 += seconds } }
}

/// The same numbers in each run, far apart from each other.
struct CountingGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64 = 0

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return state
    }
}
