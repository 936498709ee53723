import ClusterModel
import ClusterStore
import Logging

/// Keeps the status of PodDisruptionBudgets, by which evictions are granted or refused.
struct DisruptionController {
    static let types: Set<ResourceType> = [.poddisruptionbudgets, .pods, .replicasets, .deployments]
    /// Seconds after which a pod that was to be evicted and is still there counts again.
    private static let patience: Int64 = 120

    private let store: Store
    private let logger: Logger
    private let now: @Sendable () -> Int64
    private var budgets: [ObjectKey: DisruptionBudget] = [:]

    init(_ store: Store, logger: Logger, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.logger = logger
        self.now = now
    }

    mutating func handle(_ changes: [WatchEvent]) {
        var touched: Set<ObjectKey> = []
        for change in changes where change.object.type == .poddisruptionbudgets {
            let key = change.object.key
            budgets[key] = change.kind == .deleted ? nil : DisruptionBudget(change.object)
            touched.insert(key)
        }
        guard !budgets.isEmpty else { return }
        for change in changes where change.object.type != .poddisruptionbudgets {
            let object = change.object
            for (key, budget) in budgets where key.namespace == object.namespace && !touched.contains(key) {
                // A pod may have had other labels before; how many a controller wants says nothing of which pods they are.
                let concerns =
                    object.type != .pods || budget.selects(object) || change.previous.map(budget.selects) ?? false
                if concerns { touched.insert(key) }
            }
        }
        for key in touched.sorted() where budgets[key] != nil { update(key) }
    }

    private func update(_ key: ObjectKey) {
        guard let object = store.get(key) else { return }
        let budget = DisruptionBudget(object)
        let pods = store.list(.pods, namespace: key.namespace).items.filter { budget.selects($0) && Self.isCounted($0) }
        let time = now()
        let disrupted = budget.disruptedPods.filter { name, since in
            let isPresent = pods.contains { $0.name == name && $0.deletionTimestamp == nil }
            let start = since.stringValue.flatMap(Timestamp.unixSeconds) ?? 0
            return isPresent && start + Self.patience > time
        }
        let healthy = pods.count {
            $0.deletionTimestamp == nil && disrupted[$0.name] == nil && Pod($0).isReady
        }
        let count = DisruptionCount(
            object.json["spec"], pods: pods.count, healthy: healthy, scale: scale(of: pods))
        do throws(APIError) {
            _ = try store.modify(key) { present in
                // One that has been changed meanwhile comes here again.
                guard present.resourceVersion == object.resourceVersion else { return }
                present.json["status"] = status(count, disrupted, of: present)
            }
        } catch {
            if error.reason != .notFound { logger.warning("a disruption budget was not updated: \(error)") }
        }
    }

    private static func isCounted(_ pod: KubeObject) -> Bool {
        let phase = pod.json["status"]?["phase"]?.stringValue
        return phase != "Succeeded" && phase != "Failed"
    }

    /// How many pods the controllers of `pods` want, each once; pods without one count for nothing.
    private func scale(of pods: [KubeObject]) -> Int {
        var wanted: [String: Int] = [:]
        for pod in pods {
            guard let owner = controller(of: pod), let uid = owner.uid else { continue }
            wanted[uid] = owner.json["spec"]?["replicas"]?.intValue ?? 1
        }
        return wanted.values.reduce(0, +)
    }

    private func controller(of pod: KubeObject) -> KubeObject? {
        guard let set = owner(of: pod, .replicasets) else { return nil }
        return owner(of: set, .deployments) ?? set
    }

    private func owner(of object: KubeObject, _ type: ResourceType) -> KubeObject? {
        guard let reference = object.ownerReferences.first(where: \.isController), reference.kind == type.kind,
            let owner = store.get(ObjectKey(type, namespace: object.namespace, name: reference.name)),
            owner.uid == reference.uid
        else { return nil }
        return owner
    }

    private func status(_ count: DisruptionCount, _ disrupted: [String: JSONValue], of budget: KubeObject) -> JSONValue
    {
        let old = budget.json["status"]
        var status: JSONValue = [
            "observedGeneration": JSONValue(budget.generation ?? 1), "expectedPods": JSONValue(count.expected),
            "desiredHealthy": JSONValue(count.desiredHealthy), "currentHealthy": JSONValue(count.healthy),
            "disruptionsAllowed": JSONValue(count.allowed),
        ]
        if !disrupted.isEmpty { status["disruptedPods"] = .object(disrupted) }
        let type = "DisruptionAllowed"
        let conditions = old?["conditions"]?.arrayValue ?? []
        let before = conditions.first { $0["type"]?.stringValue == type }
        let holds: JSONValue = count.allowed > 0 ? "True" : "False"
        let time = JSONValue.string(Timestamp.text(unixSeconds: now()))
        let own: JSONValue = [
            "type": .string(type), "status": holds, "message": "",
            "reason": count.allowed > 0 ? "SufficientPods" : "InsufficientPods",
            "observedGeneration": JSONValue(budget.generation ?? 1),
            "lastTransitionTime": before?["status"] == holds ? before?["lastTransitionTime"] ?? time : time,
        ]
        status["conditions"] = .array(conditions.filter { $0["type"]?.stringValue != type } + [own])
        return status
    }
}
