import ClusterModel
import ClusterStore
import Logging

/// Keeps Deployments and ReplicaSets at their sizes.
struct WorkloadController {
    static let types: Set<ResourceType> = [.deployments, .replicasets, .pods]
    static let hashLabel = "pod-template-hash"
    static let revisionAnnotation = "deployment.kubernetes.io/revision"
    static let sizeAnnotation = "deployment.kubernetes.io/desired-replicas"
    static let mostAnnotation = "deployment.kubernetes.io/max-replicas"

    let store: Store
    private let events: EventRecorder
    private let logger: Logger
    let now: @Sendable () -> Int64
    var index = WorkloadIndex()
    /// When something becomes true without an event, in seconds since 1970: pods of ReplicaSets have been ready for
    /// `minReadySeconds`, Deployments have made no progress for `progressDeadlineSeconds`.
    var dueTimes: [ObjectKey: Int64] = [:]
    /// The ReplicaSets whose namespaces have been searched for pods.
    private var searched: Set<String> = []

    init(_ store: Store, events: EventRecorder, logger: Logger, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.events = events
        self.logger = logger
        self.now = now
    }

    /// The next time at which something changes without an event, in seconds since 1970; ``handle(_:)`` has to be called then.
    var dueTime: Int64? { dueTimes.values.min() }

    /// Takes a burst of changes, and the passing of time, into account.
    mutating func handle(_ events: [WatchEvent]) {
        let time = now()
        var touched = Set(dueTimes.filter { $0.value <= time }.keys)
        for event in events {
            let isDeleted = event.kind == .deleted
            touched.formUnion(index.apply(event.object, isDeleted: isDeleted))
            if isDeleted, event.object.type == .replicasets { searched.remove(event.object.uid ?? "") }
        }
        // What one round writes may call for another; each comes closer to the wanted state.
        var rounds = 0
        while !touched.isEmpty, rounds < 20 {
            rounds += 1
            var next: Set<ObjectKey> = []
            for key in touched.sorted() {
                if let deployment = index.deployments[key] { next.formUnion(synchronize(deployment: deployment)) }
                if let set = index.replicaSets[key] { next.formUnion(synchronize(replicaSet: set)) }
            }
            touched = next
        }
    }

    // MARK: ReplicaSets

    private mutating func synchronize(replicaSet: KubeObject) -> Set<ObjectKey> {
        dueTimes[replicaSet.key] = nil
        guard replicaSet.deletionTimestamp == nil, let uid = replicaSet.uid else { return [] }
        claimPods(of: replicaSet, uid)
        let wanted = replicaSet.json["spec"]?["replicas"]?.intValue ?? 1
        let active = index.pods(ownedBy: uid).filter(Self.isActive)
        if active.count < wanted {
            for _ in active.count..<wanted where !create(podOf: replicaSet) { break }
        } else if active.count > wanted {
            for pod in active.sorted(by: Self.goesFirst).prefix(active.count - wanted) {
                delete(pod)
                note(replicaSet, "SuccessfulDelete", "Deleted pod: \(pod.name)")
            }
        }
        return writeStatus(replicaSet: replicaSet, uid)
    }

    private mutating func writeStatus(replicaSet: KubeObject, _ uid: String) -> Set<ObjectKey> {
        let pods = index.pods(ownedBy: uid).filter(Self.isActive)
        let ready = pods.filter { Pod($0).isReady }
        let times = ready.map { Self.availableTime($0, minReadySeconds: replicaSet.json["spec"]?["minReadySeconds"]) }
        let time = now()
        let available = times.count { $0 <= time }
        dueTimes[replicaSet.key] = times.filter { $0 > time }.min()
        var status: JSONValue = [
            "replicas": JSONValue(pods.count), "fullyLabeledReplicas": JSONValue(pods.count),
            "observedGeneration": JSONValue(replicaSet.generation ?? 1),
        ]
        if !ready.isEmpty { status["readyReplicas"] = JSONValue(ready.count) }
        if available > 0 { status["availableReplicas"] = JSONValue(available) }
        // We write none, so these are somebody else's.
        status["conditions"] = replicaSet.json["status"]?["conditions"]
        return setStatus(replicaSet, status)
    }

    /// When a pod that stays ready will have been so for long enough.
    private static func availableTime(_ pod: KubeObject, minReadySeconds: JSONValue?) -> Int64 {
        guard let wait = minReadySeconds?.intValue, wait > 0 else { return 0 }
        let condition = (pod.json["status"]?["conditions"]?.arrayValue ?? []).first {
            $0["type"]?.stringValue == "Ready"
        }
        let since = condition?["lastTransitionTime"]?.stringValue.flatMap(Timestamp.unixSeconds) ?? 0
        return since + Int64(wait)
    }

    private mutating func create(podOf replicaSet: KubeObject) -> Bool {
        let template = replicaSet.json["spec"]?["template"]
        var pod = KubeObject(.pods, namespace: replicaSet.namespace, name: "")
        pod.json["metadata"] = template?["metadata"] ?? [:]
        pod.json["metadata"]?["name"] = nil
        pod.json["metadata"]?["generateName"] = .string("\(replicaSet.name)-")
        pod.json["metadata"]?["namespace"] = .string(replicaSet.namespace)
        pod.ownerReferences = [OwnerReference(controller: replicaSet)]
        pod.json["spec"] = template?["spec"] ?? [:]
        do throws(APIError) {
            let made = try store.create(pod)
            _ = index.apply(made, isDeleted: false)
            note(replicaSet, "SuccessfulCreate", "Created pod: \(made.name)")
            return true
        } catch {
            note(replicaSet, "FailedCreate", "Error creating: \(error.message)", isWarning: true)
            return false
        }
    }

    /// Whether pods that were there before it have not been looked for yet; from now on they have been.
    mutating func isFirstLook(at replicaSet: KubeObject) -> Bool {
        searched.insert(replicaSet.uid ?? "").inserted
    }

    static func isActive(_ pod: KubeObject) -> Bool {
        let phase = pod.json["status"]?["phase"]?.stringValue
        return pod.deletionTimestamp == nil && phase != "Succeeded" && phase != "Failed"
    }

    /// Those that are not ready go before the others, and the newest before the older ones.
    private static func goesFirst(_ left: KubeObject, _ right: KubeObject) -> Bool {
        let (leftReady, rightReady) = (Pod(left).isReady, Pod(right).isReady)
        if leftReady != rightReady { return !leftReady }
        return (left.creationTimestamp ?? "", left.name) > (right.creationTimestamp ?? "", right.name)
    }

    // MARK: Writing

    /// Writes an Event about a workload.
    func note(_ object: KubeObject, _ reason: String, _ message: String, isWarning: Bool = false) {
        let component = object.type == .deployments ? "deployment-controller" : "replicaset-controller"
        events.record(object, by: component, isWarning: isWarning, reason: reason, message: message)
    }

    mutating func write(_ object: KubeObject, isNew: Bool) -> KubeObject? {
        do throws(APIError) {
            let stored = isNew ? try store.create(object) : try store.update(object)
            _ = index.apply(stored, isDeleted: false)
            return stored
        } catch {
            // Somebody else was faster, or the namespace is going: the event of that brings us here again.
            if error.reason != .conflict, error.reason != .notFound, error.reason != .alreadyExists {
                logger.warning("a workload was refused", metadata: ["object": "\(object.key)", "reason": "\(error)"])
            }
            return nil
        }
    }

    mutating func setStatus(_ object: KubeObject, _ status: JSONValue) -> Set<ObjectKey> {
        guard let present = store.get(object.key), present.uid == object.uid, present.json["status"] != status else {
            return []
        }
        do throws(APIError) {
            let stored = try store.modify(object.key) { $0.json["status"] = status }
            return index.apply(stored, isDeleted: false)
        } catch {
            return []
        }
    }

    mutating func delete(_ object: KubeObject) {
        do throws(APIError) {
            let gone = try store.delete(object.key, uid: object.uid)
            _ = index.apply(gone, isDeleted: store.get(object.key) == nil)
        } catch {
            if error.reason != .notFound, error.reason != .conflict {
                logger.warning("not deleted", metadata: ["object": "\(object.key)", "reason": "\(error)"])
            }
        }
    }
}
