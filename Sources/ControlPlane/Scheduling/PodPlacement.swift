import ClusterModel

/// What the scheduler needs to know of a node.
struct NodePlace: Equatable {
    let name: String
    let labels: [String: String]
    /// Those that it has, and one that it counts as having while it is not ready.
    let taints: [Taint]
    /// Cordoned.
    let isUnschedulable: Bool

    init(_ object: KubeObject) {
        let node = Node(object)
        name = node.name
        labels = node.labels
        taints = node.taints + (node.isReady ? [] : [Taint(key: Taint.notReady, effect: .noSchedule)])
        isUnschedulable = object.json["spec"]?["unschedulable"]?.boolValue ?? false
    }
}

/// Which nodes a pod may have and would rather have.
struct PodPlacement: Equatable {
    private let affinity: NodeAffinity
    private let tolerations: [Toleration]

    init(_ pod: KubeObject) {
        let spec = pod.json["spec"]
        affinity = NodeAffinity(spec)
        tolerations = Toleration.list(in: spec)
    }

    /// Why the pod cannot have the node, in the scheduler's words; nil when it can.
    func obstacle(on node: NodePlace) -> String? {
        if node.isUnschedulable, !tolerates(Taint(key: Taint.unschedulable, effect: .noSchedule)) {
            return "node(s) were unschedulable"
        }
        if let taint = node.taints.first(where: { $0.effect != .preferNoSchedule && !tolerates($0) }) {
            return "node(s) had untolerated taint {\(taint.key): \(taint.value)}"
        }
        if !affinity.allows(name: node.name, labels: node.labels) {
            return "node(s) didn't match Pod's node affinity/selector"
        }
        return nil
    }

    /// The lower, the rather: taints that should be avoided first, then the pod's own preferences.
    func rank(of node: NodePlace) -> Rank {
        Rank(
            avoided: node.taints.count { $0.effect == .preferNoSchedule && !tolerates($0) },
            preferred: affinity.preference(name: node.name, labels: node.labels))
    }

    struct Rank: Comparable {
        let avoided: Int
        let preferred: Int

        static func < (left: Rank, right: Rank) -> Bool {
            (left.avoided, -left.preferred) < (right.avoided, -right.preferred)
        }
    }

    private func tolerates(_ taint: Taint) -> Bool { tolerations.contains { $0.tolerates(taint) } }

    /// What a pod is told whose obstacles, one for each node, are these.
    static func refusal(_ obstacles: [String]) -> String {
        guard !obstacles.isEmpty else { return "no nodes available to schedule pods" }
        let counts = Dictionary(obstacles.map { ($0, 1) }, uniquingKeysWith: +)
        let reasons = counts.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        let prefix = "0/\(obstacles.count) nodes are available: "
        return prefix + reasons + ". preemption: " + prefix
            + "\(obstacles.count) Preemption is not helpful for scheduling."
    }
}
