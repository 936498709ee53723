import ClusterModel

/// Deployments, ReplicaSets and pods by who owns them.
struct WorkloadIndex {
    private(set) var deployments: [ObjectKey: KubeObject] = [:]
    private(set) var replicaSets: [ObjectKey: KubeObject] = [:]
    private var pods: [ObjectKey: KubeObject] = [:]
    private var setsByOwner: [String: Set<ObjectKey>] = [:]
    private var podsByOwner: [String: Set<ObjectKey>] = [:]
    private var keyByUID: [String: ObjectKey] = [:]

    /// Takes a change in, unless a newer one is known, and answers the Deployments and ReplicaSets to look at again.
    mutating func apply(_ object: KubeObject, isDeleted: Bool) -> Set<ObjectKey> {
        let key = object.key
        var touched: Set<ObjectKey> = []
        if let owner = Self.owner(of: object), let ownerKey = keyByUID[owner] { touched.insert(ownerKey) }
        guard Self.revision(object) > known(key).map(Self.revision) ?? 0 else { return [] }
        switch key.type {
        case .deployments:
            deployments[key] = isDeleted ? nil : object
            note(object, isDeleted)
            touched.insert(key)
        case .replicasets:
            Self.relate(object, isDeleted, &setsByOwner)
            replicaSets[key] = isDeleted ? nil : object
            note(object, isDeleted)
            touched.insert(key)
        case .pods:
            // Of the others there may be many, and nobody asks for them.
            guard Self.owner(of: object) != nil || pods[key] != nil else { return [] }
            Self.relate(object, isDeleted, &podsByOwner)
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

    private func known(_ key: ObjectKey) -> KubeObject? { deployments[key] ?? replicaSets[key] ?? pods[key] }

    private mutating func note(_ object: KubeObject, _ isDeleted: Bool) {
        if let uid = object.uid { keyByUID[uid] = isDeleted ? nil : object.key }
    }

    private static func relate(_ object: KubeObject, _ isDeleted: Bool, _ table: inout [String: Set<ObjectKey>]) {
        guard let owner = owner(of: object) else { return }
        if isDeleted {
            table[owner]?.remove(object.key)
            if table[owner]?.isEmpty == true { table[owner] = nil }
        } else {
            table[owner, default: []].insert(object.key)
        }
    }

    private static func owner(of object: KubeObject) -> String? {
        object.ownerReferences.first(where: \.isController)?.uid
    }

    private static func revision(_ object: KubeObject) -> UInt64 { object.resourceVersion.flatMap { UInt64($0) } ?? 0 }
}
