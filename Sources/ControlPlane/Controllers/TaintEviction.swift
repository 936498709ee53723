import ClusterModel
import ClusterStore
import Logging

/// Deletes pods from nodes that have a `NoExecute` taint which they do not tolerate, or no longer.
struct TaintEviction {
    static let types: Set<ResourceType> = [.pods, .nodes]

    private let store: Store
    private let logger: Logger
    private let events: EventRecorder
    private let now: @Sendable () -> Int64
    /// Nodes that have such taints.
    private var taints: [String: [Taint]] = [:]
    /// When pods that tolerate theirs for a time have to go, in seconds since 1970.
    private var dueTimes: [ObjectKey: Int64] = [:]

    init(_ store: Store, events: EventRecorder, logger: Logger, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.events = events
        self.logger = logger
        self.now = now
    }

    /// The next time at which ``handle(_:)`` has to be called without an event, in seconds since 1970.
    var dueTime: Int64? { dueTimes.values.min() }

    /// Takes a burst of changes, and the passing of time, into account.
    mutating func handle(_ changes: [WatchEvent]) {
        var changedNodes: Set<String> = []
        for change in changes where change.object.type == .nodes {
            let name = change.object.name
            let new = change.kind == .deleted ? [] : Node(change.object).taints.filter { $0.effect == .noExecute }
            if new != taints[name] ?? [] { changedNodes.insert(name) }
            taints[name] = new.isEmpty ? nil : new
        }
        if !changedNodes.isEmpty {
            for pod in store.list(.pods).items
            where pod.json["spec"]?["nodeName"]?.stringValue.map(changedNodes.contains) ?? false {
                look(at: pod)
            }
        }
        if !taints.isEmpty || !dueTimes.isEmpty {
            for change in changes where change.object.type == .pods {
                if change.kind == .deleted { dueTimes[change.object.key] = nil } else { look(at: change.object) }
            }
        }
        let time = now()
        for (key, due) in dueTimes.sorted(by: { $0.key < $1.key }) where due <= time {
            dueTimes[key] = nil
            evict(key)
        }
    }

    private mutating func look(at pod: KubeObject) {
        let node = pod.json["spec"]?["nodeName"]?.stringValue ?? ""
        guard pod.deletionTimestamp == nil, let taints = taints[node] else {
            dueTimes[pod.key] = nil
            return
        }
        let tolerations = Toleration.list(in: pod.json["spec"])
        var seconds: [Int] = []
        for taint in taints {
            let fitting = tolerations.filter { $0.tolerates(taint) }
            if fitting.isEmpty { return evict(pod.key) }
            seconds += fitting.compactMap(\.seconds)
        }
        guard let shortest = seconds.min() else {
            dueTimes[pod.key] = nil
            return
        }
        // It counts from when the taint was first seen.
        if dueTimes[pod.key] == nil { dueTimes[pod.key] = now() + Int64(max(0, shortest)) }
    }

    private func evict(_ key: ObjectKey) {
        do throws(APIError) {
            guard let pod = store.get(key), pod.deletionTimestamp == nil else { return }
            events.record(
                pod, by: "taint-eviction-controller", isWarning: false, reason: "TaintManagerEviction",
                message: "Marking for deletion Pod \(key.namespace)/\(key.name)")
            _ = try store.delete(key)
        } catch {
            if error.reason != .notFound { logger.warning("a pod was not evicted: \(error)") }
        }
    }
}
