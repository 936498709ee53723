import ClusterModel
import ClusterStore
import Logging

/// Gives each pod a node: of those that it may have, one that it would rather have, then one with the fewest pods, then the
/// first by name.
///
/// Pods are taken in the order in which they came. A pod that no node suits waits, and says so in its condition PodScheduled
/// and an Event.
struct Scheduler {
    static let types: Set<ResourceType> = [.pods, .nodes]
    private static let component = "default-scheduler"

    /// A pod without a node.
    private struct Waiting {
        let needs: PodPlacement
        let arrival: Int
        /// Why no node suited when that was last said.
        var refusal: String?
    }

    private let store: Store
    private let logger: Logger
    private let events: EventRecorder
    private let now: @Sendable () -> Int64
    private var nodes: [String: NodePlace] = [:]
    private var podCount: [String: Int] = [:]
    /// By uid: there may be many.
    private var nodeOfPod: [String: String] = [:]
    private var waiting: [ObjectKey: Waiting] = [:]
    /// How many pods have begun to wait.
    private var arrivals = 0

    init(_ store: Store, events: EventRecorder, logger: Logger, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.events = events
        self.logger = logger
        self.now = now
        // The first pods come before all nodes are known otherwise.
        for node in store.list(.nodes).items { nodes[node.name] = NodePlace(node) }
        for pod in store.list(.pods).items {
            place(pod, on: pod.json["spec"]?["nodeName"]?.stringValue)
        }
    }

    mutating func handle(_ changes: [WatchEvent]) {
        var isNodeChanged = false
        for change in changes {
            let object = change.object
            if object.type == .nodes {
                isNodeChanged = true
                nodes[object.name] = change.kind == .deleted ? nil : NodePlace(object)
            } else {
                note(pod: object, isDeleted: change.kind == .deleted)
            }
        }
        for (key, pod) in waiting.sorted(by: { $0.value.arrival < $1.value.arrival })
        where isNodeChanged || pod.refusal == nil {
            schedule(key, pod)
        }
    }

    private mutating func note(pod: KubeObject, isDeleted: Bool) {
        let key = pod.key
        let node = isDeleted ? nil : pod.json["spec"]?["nodeName"]?.stringValue
        // An event of our own write may come after the next change: the store knows better.
        if node == nil, !isDeleted, nodeOfPod[pod.uid ?? ""] != nil, store.get(key)?.json["spec"]?["nodeName"] != nil {
            return
        }
        place(pod, on: node)
        guard !isDeleted, node == nil, pod.deletionTimestamp == nil, Self.isOurs(pod) else {
            waiting[key] = nil
            return
        }
        let known = waiting[key]
        let needs = PodPlacement(pod)
        if known == nil { arrivals += 1 }
        waiting[key] = Waiting(
            needs: needs, arrival: known?.arrival ?? arrivals, refusal: known?.needs == needs ? known?.refusal : nil)
    }

    /// Whether nobody else is to choose the node, and nothing has to be done before.
    private static func isOurs(_ pod: KubeObject) -> Bool {
        let spec = pod.json["spec"]
        return spec?["schedulerName"]?.stringValue ?? component == component
            && spec?["schedulingGates"]?.arrayValue?.isEmpty ?? true
    }

    private mutating func place(_ pod: KubeObject, on node: String?) {
        // What the node runs by itself leaves as much room as before.
        guard pod.annotations[Pod.mirrorAnnotation] == nil else { return }
        let uid = pod.uid ?? ""
        if let old = nodeOfPod[uid] { podCount[old, default: 1] -= 1 }
        // One text for all pods of a node.
        nodeOfPod[uid] = node.map { nodes[$0]?.name ?? $0 }
        if let node { podCount[node, default: 0] += 1 }
    }

    private mutating func schedule(_ key: ObjectKey, _ pod: Waiting) {
        let candidates = nodes.values.filter { pod.needs.obstacle(on: $0) == nil }
            .map { (place: $0, rank: pod.needs.rank(of: $0)) }
        let chosen = candidates.min { left, right in
            (left.rank, podCount[left.place.name, default: 0], left.place.name)
                < (right.rank, podCount[right.place.name, default: 0], right.place.name)
        }
        do throws(APIError) {
            guard let name = chosen?.place.name else { return try refuse(key, pod) }
            waiting[key] = nil
            let object = try store.modify(key) { pod in
                if pod.json["spec"]?["nodeName"]?.stringValue == nil { pod.json["spec"]?["nodeName"] = .string(name) }
            }
            place(object, on: object.json["spec"]?["nodeName"]?.stringValue)
            events.record(
                object, by: Self.component, isWarning: false, reason: "Scheduled",
                message: "Successfully assigned \(key.namespace)/\(key.name) to \(name)")
        } catch {
            if error.reason != .notFound { logger.warning("a pod got no node: \(error)") }
        }
    }

    private mutating func refuse(_ key: ObjectKey, _ pod: Waiting) throws(APIError) {
        let message = PodPlacement.refusal(nodes.values.compactMap(pod.needs.obstacle))
        guard pod.refusal != message else { return }
        waiting[key]?.refusal = message
        let time = Timestamp.text(unixSeconds: now())
        let object = try store.modify(key) { Self.refuse(&$0, message, at: time) }
        events.record(
            object, by: Self.component, isWarning: true, reason: "FailedScheduling", message: message)
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
