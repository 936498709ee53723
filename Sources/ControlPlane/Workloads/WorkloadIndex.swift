import ClusterModel

/// Deployments, ReplicaSets and pods by who owns them.
struct WorkloadIndex {
    private(set) var deployments: [ObjectKey: KubeObject] = [:]
    private(set) var replicaSets: [ObjectKey: KubeObject] = [:]
    private var pods: [ObjectKey: KubeObject] = [:]
    private var setsByOwner: [String: Set<ObjectKey>] = [:]
    private var podsByOwner: [String: Set<ObjectKey>] = [:]
    private var keyByUID: [String: ObjectKey] = [:]
    /// What Deployments and ReplicaSets select; those that select nothing are not in it.
    private var selectors: [ObjectKey: LabelSelector] = [:]
    /// ReplicaSets that nobody controls.
    private var freeSets: Set<ObjectKey> = []
    /// Pods that nobody controls and a ReplicaSet selects, by that ReplicaSet.
    private var orphans: [ObjectKey: Set<ObjectKey>] = [:]

    /// Takes a change in, unless a newer one is known, and answers the Deployments and ReplicaSets to look at again.
    mutating func apply(_ object: KubeObject, isDeleted: Bool) -> Set<ObjectKey> {
        let key = object.key
        var touched: Set<ObjectKey> = []
        let old = known(key)
        // An owner that has lost the object has to look for another one.
        for owner in [old, object].compactMap({ $0.flatMap(Self.owner) }) {
            if let ownerKey = keyByUID[owner] { touched.insert(ownerKey) }
        }
        guard Self.revision(object) > old.map(Self.revision) ?? 0 else { return [] }
        switch key.type {
        case .deployments:
            deployments[key] = isDeleted ? nil : object
            note(workload: object, isDeleted)
            touched.insert(key)
        case .replicasets:
            Self.relate(old, object, isDeleted, &setsByOwner)
            replicaSets[key] = isDeleted ? nil : object
            if isDeleted { orphans[key] = nil }
            note(workload: object, isDeleted)
            touched.insert(key)
            if !isDeleted, Self.owner(of: object) == nil {
                freeSets.insert(key)
                touched.formUnion(deployments.values.filter { mayAdopt($0, object) }.map(\.key))
            } else {
                freeSets.remove(key)
            }
        case .pods:
            let isFree = Self.owner(of: object) == nil
            if !isDeleted, isFree { touched.formUnion(noteOrphan(object)) }
            // Of the others there may be many, and nobody asks for them.
            guard !isFree || pods[key] != nil else { return touched }
            Self.relate(old, object, isDeleted, &podsByOwner)
            pods[key] = isDeleted ? nil : object
        default: return []
        }
        return touched
    }

    /// The ReplicaSets of a Deployment, oldest first.
    func replicaSets(ownedBy uid: String) -> [KubeObject] {
        (setsByOwner[uid] ?? []).compactMap { replicaSets[$0] }
            .sorted { ($0.creationTimestamp ?? "", $0.name) < ($1.creationTimestamp ?? "", $1.name) }
    }

    /// The pods of a ReplicaSet, by name.
    func pods(ownedBy uid: String) -> [KubeObject] {
        (podsByOwner[uid] ?? []).compactMap { pods[$0] }.sorted { $0.name < $1.name }
    }

    /// Pods without a controller that this ReplicaSet selects, each told once.
    mutating func takeOrphans(of set: ObjectKey) -> Set<ObjectKey> { orphans.removeValue(forKey: set) ?? [] }

    /// ReplicaSets without a controller that this Deployment selects.
    func orphanedSets(of deployment: KubeObject) -> [KubeObject] {
        freeSets.compactMap { replicaSets[$0] }.filter { mayAdopt(deployment, $0) }.sorted { $0.name < $1.name }
    }

    private mutating func noteOrphan(_ pod: KubeObject) -> [ObjectKey] {
        let claimants = replicaSets.values.filter { mayAdopt($0, pod) }.map(\.key)
        for key in claimants { orphans[key, default: []].insert(pod.key) }
        return claimants
    }

    /// Whether `object` has no controller and is one that `workload` selects.
    func mayAdopt(_ workload: KubeObject, _ object: KubeObject) -> Bool {
        workload.namespace == object.namespace && selectors[workload.key]?.matches(object.labels) == true
            && Self.owner(of: object) == nil && object.deletionTimestamp == nil && workload.deletionTimestamp == nil
    }

    private func known(_ key: ObjectKey) -> KubeObject? { deployments[key] ?? replicaSets[key] ?? pods[key] }

    private mutating func note(workload object: KubeObject, _ isDeleted: Bool) {
        selectors[object.key] = isDeleted ? nil : LabelSelector(object.json["spec"]?["selector"])
        if let uid = object.uid { keyByUID[uid] = isDeleted ? nil : object.key }
    }

    private static func relate(
        _ old: KubeObject?, _ object: KubeObject, _ isDeleted: Bool, _ table: inout [String: Set<ObjectKey>]
    ) {
        let before = old.flatMap(owner)
        let after = isDeleted ? nil : owner(of: object)
        guard before != after else { return }
        if let before {
            table[before]?.remove(object.key)
            if table[before]?.isEmpty == true { table[before] = nil }
        }
        if let after { table[after, default: []].insert(object.key) }
    }

    private static func owner(of object: KubeObject) -> String? {
        object.ownerReferences.first(where: \.isController)?.uid
    }

    private static func revision(_ object: KubeObject) -> UInt64 { object.resourceVersion.flatMap { UInt64($0) } ?? 0 }
}
