import ClusterModel
import ClusterStore
import Logging

/// Gives each pod a node: one that its `nodeSelector` allows, with the fewest pods, the first by name among those.
///
/// Pods are taken in the order in which they came. A pod that no node suits waits, and says so in its condition PodScheduled.
struct Scheduler {
    static let types: Set<ResourceType> = [.pods, .nodes]

    private struct Place {
        let labels: [String: String]
        let isOpen: Bool
    }

    /// A pod without a node.
    private struct Waiting {
        let selector: [String: String]
        let arrival: Int
    }

    private let store: Store
    private let logger: Logger
    private let now: @Sendable () -> Int64
    private var nodes: [String: Place] = [:]
    private var podCount: [String: Int] = [:]
    private var nodeOfPod: [ObjectKey: String] = [:]
    private var waiting: [ObjectKey: Waiting] = [:]
    /// How many pods have begun to wait.
    private var arrivals = 0

    init(_ store: Store, logger: Logger, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.logger = logger
        self.now = now
        // The first pods come before all nodes are known otherwise.
        for node in store.list(.nodes).items { note(node: node, isDeleted: false) }
        for pod in store.list(.pods).items {
            place(pod.key, on: pod.json["spec"]?["nodeName"]?.stringValue)
        }
    }

    mutating func handle(_ events: [WatchEvent]) {
        for event in events {
            let object = event.object
            if object.type == .nodes {
                note(node: object, isDeleted: event.kind == .deleted)
            } else {
                note(pod: object, isDeleted: event.kind == .deleted)
            }
        }
        for (key, pod) in waiting.sorted(by: { $0.value.arrival < $1.value.arrival }) { schedule(key, pod.selector) }
    }

    private mutating func note(node: KubeObject, isDeleted: Bool) {
        nodes[node.name] =
            isDeleted
            ? nil
            : Place(
                labels: node.labels,
                isOpen: Node(node).isReady && node.json["spec"]?["unschedulable"]?.boolValue != true)
    }

    private mutating func note(pod: KubeObject, isDeleted: Bool) {
        let key = pod.key
        let node = isDeleted ? nil : pod.json["spec"]?["nodeName"]?.stringValue
        // An event of our own write may come after the next change: the store knows better.
        if node == nil, !isDeleted, nodeOfPod[key] != nil, store.get(key)?.json["spec"]?["nodeName"] != nil { return }
        place(key, on: node)
        guard !isDeleted, node == nil, pod.deletionTimestamp == nil else {
            waiting[key] = nil
            return
        }
        if waiting[key] == nil { arrivals += 1 }
        waiting[key] = Waiting(
            selector: pod.json["spec"]?["nodeSelector"]?.stringMap ?? [:], arrival: waiting[key]?.arrival ?? arrivals)
    }

    private mutating func place(_ key: ObjectKey, on node: String?) {
        if let old = nodeOfPod[key] { podCount[old, default: 1] -= 1 }
        nodeOfPod[key] = node
        if let node { podCount[node, default: 0] += 1 }
    }

    private mutating func schedule(_ key: ObjectKey, _ selector: [String: String]) {
        let suitable = nodes.filter { node in
            node.value.isOpen && selector.allSatisfy { node.value.labels[$0.key] == $0.value }
        }
        let chosen = suitable.keys.min { (podCount[$0, default: 0], $0) < (podCount[$1, default: 0], $1) }
        let time = Timestamp.text(unixSeconds: now())
        do throws(APIError) {
            guard let chosen else {
                let message = reason(selector)
                _ = try store.modify(key) { Self.refuse(&$0, message, at: time) }
                return
            }
            waiting[key] = nil
            place(key, on: chosen)
            _ = try store.modify(key) { pod in
                if pod.json["spec"]?["nodeName"]?.stringValue == nil { pod.json["spec"]?["nodeName"] = .string(chosen) }
            }
        } catch {
            if error.reason != .notFound { logger.warning("a pod got no node: \(error)") }
        }
    }

    private func reason(_ selector: [String: String]) -> String {
        let closed = nodes.values.count { !$0.isOpen }
        let unfit = nodes.count - closed
        var parts: [String] = []
        if unfit > 0 { parts.append("\(unfit) node(s) didn't match Pod's node affinity/selector") }
        if closed > 0 { parts.append("\(closed) node(s) were unschedulable") }
        return "0/\(nodes.count) nodes are available: \(parts.joined(separator: ", "))."
    }

    private static func refuse(_ pod: inout KubeObject, _ message: String, at time: String) {
        let old = pod.json["status"]?["conditions"]?.arrayValue ?? []
        let present = old.first { $0["type"]?.stringValue == "PodScheduled" }
        guard present?["message"]?.stringValue != message else { return }
        let condition: JSONValue = [
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": .string(message),
            "lastProbeTime": .null, "lastTransitionTime": present?["lastTransitionTime"] ?? .string(time),
        ]
        var status = pod.json["status"] ?? [:]
        status["phase"] = "Pending"
        status["conditions"] = .array(old.filter { $0["type"]?.stringValue != "PodScheduled" } + [condition])
        pod.json["status"] = status
    }
}
