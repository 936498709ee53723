import ClusterModel
import ClusterStore

/// Deployments: the ReplicaSet of the present template grows, the others shrink.
extension WorkloadController {
    mutating func synchronize(deployment: KubeObject) -> Set<ObjectKey> {
        dueTimes[deployment.key] = nil
        guard deployment.deletionTimestamp == nil, let uid = deployment.uid else { return [] }
        var touched: Set<ObjectKey> = []
        adoptSets(of: deployment)
        var sets = index.replicaSets(ownedBy: uid)
        let hash = Self.hash(of: deployment, among: sets)
        if !sets.contains(where: { $0.labels[Self.hashLabel] == hash }) {
            guard let made = write(replicaSet(of: deployment, hash, revision: Self.nextRevision(sets)), isNew: true)
            else { return [] }
            touched.insert(made.key)
            sets = index.replicaSets(ownedBy: uid)
        }
        for set in sets where set.json["spec"]?["minReadySeconds"] != deployment.json["spec"]?["minReadySeconds"] {
            var set = set
            set.json["spec"]?["minReadySeconds"] = deployment.json["spec"]?["minReadySeconds"]
            if let written = write(set, isNew: false) { touched.insert(written.key) }
        }
        sets = index.replicaSets(ownedBy: uid)
        guard let current = sets.first(where: { $0.labels[Self.hashLabel] == hash }) else { return touched }
        let olds = sets.filter { $0.labels[Self.hashLabel] != hash }
        touched.formUnion(claim(current, deployment, sets))
        if deployment.json["spec"]?["paused"]?.boolValue != true {
            touched.formUnion(scale(deployment, current, olds))
        }
        cleanUp(olds, deployment)
        return touched.union(writeStatus(deployment: deployment, uid, hash))
    }

    private mutating func scale(_ deployment: KubeObject, _ current: KubeObject, _ olds: [KubeObject]) -> Set<ObjectKey>
    {
        let spec = deployment.json["spec"]
        let desired = spec?["replicas"]?.intValue ?? 1
        func size(_ set: KubeObject) -> RollingUpdate.Old {
            RollingUpdate.Old(
                replicas: set.json["spec"]?["replicas"]?.intValue ?? 0,
                available: set.json["status"]?["availableReplicas"]?.intValue ?? 0)
        }
        var touched: Set<ObjectKey> = []
        if spec?["strategy"]?["type"]?.stringValue == "Recreate" {
            for old in olds { touched.formUnion(resize(old, to: 0, for: deployment)) }
            let isEmpty = olds.allSatisfy { index.pods(ownedBy: $0.uid ?? "").isEmpty }
            if isEmpty { touched.formUnion(resize(current, to: desired, for: deployment)) }
            return touched
        }
        let rolling = spec?["strategy"]?["rollingUpdate"]
        func share(_ key: String) -> RollingUpdate.Share {
            IntOrString(rolling?[key]).flatMap { RollingUpdate.Share($0.description) } ?? .percent(25)
        }
        let update = RollingUpdate(
            desired: desired, maxSurge: share("maxSurge"), maxUnavailable: share("maxUnavailable"))
        if let scaled = shareOut(update, current, olds, of: deployment) { return touched.union(scaled) }
        let next = update.step(new: size(current), olds: olds.map(size))
        touched.formUnion(resize(current, to: next.new, for: deployment))
        for (old, count) in zip(olds, next.olds) {
            touched.formUnion(resize(old, to: count, for: deployment))
        }
        return touched
    }

    /// Shares a change of the wanted number out among all sets, if it has changed in the middle of a rollout; nil otherwise.
    private mutating func shareOut(
        _ update: RollingUpdate, _ current: KubeObject, _ olds: [KubeObject], of deployment: KubeObject
    ) -> Set<ObjectKey>? {
        func number(_ set: KubeObject, _ name: String) -> Int? { set.annotations[name].flatMap { Int($0) } }
        func replicas(_ set: KubeObject) -> Int { set.json["spec"]?["replicas"]?.intValue ?? 0 }
        let active = ([current] + olds.reversed()).filter { replicas($0) > 0 }
        let isChanged = active.contains { set in number(set, Self.sizeAnnotation).map { $0 != update.desired } ?? false
        }
        guard isChanged, active.count > 1 else { return nil }
        let sizes = update.shared(
            among: active.map { set in
                RollingUpdate.Sharer(
                    replicas: replicas(set),
                    most: number(set, Self.mostAnnotation) ?? number(set, Self.sizeAnnotation) ?? update.desired)
            })
        var touched: Set<ObjectKey> = []
        for (set, count) in zip(active, sizes) { touched.formUnion(resize(set, to: count, for: deployment)) }
        return touched
    }

    /// What a set has to say of the numbers that its Deployment wants.
    private static func sizes(_ deployment: KubeObject) -> [String: String] {
        let spec = deployment.json["spec"]
        let desired = spec?["replicas"]?.intValue ?? 1
        let surge = IntOrString(spec?["strategy"]?["rollingUpdate"]?["maxSurge"])
            .flatMap { RollingUpdate.Share($0.description) }?.count(of: desired, roundsUp: true)
        return [sizeAnnotation: "\(desired)", mostAnnotation: "\(desired + (surge ?? 0))"]
    }

    private mutating func resize(_ set: KubeObject, to count: Int, for deployment: KubeObject) -> Set<ObjectKey> {
        let before = set.json["spec"]?["replicas"]?.intValue ?? 0
        let sizes = Self.sizes(deployment)
        let isSaid = sizes.allSatisfy { set.annotations[$0.key] == $0.value }
        guard before != count || count > 0 && !isSaid else { return [] }
        var set = set
        set.json["spec"]?["replicas"] = JSONValue(count)
        set.annotations.merge(sizes) { $1 }
        guard before != count else { return write(set, isNew: false).map { [$0.key] } ?? [] }
        guard let written = write(set, isNew: false) else { return [] }
        note(
            deployment, "ScalingReplicaSet",
            "Scaled \(count > before ? "up" : "down") replica set \(set.name) from \(before) to \(count)")
        return [written.key]
    }

    private func replicaSet(of deployment: KubeObject, _ hash: String, revision: Int) -> KubeObject {
        let spec = deployment.json["spec"]
        var set = KubeObject(.replicasets, namespace: deployment.namespace, name: "\(deployment.name)-\(hash)")
        var template = spec?["template"] ?? [:]
        var labels = template["metadata"]?["labels"]?.stringMap ?? [:]
        labels[Self.hashLabel] = hash
        var metadata = template["metadata"] ?? [:]
        metadata["labels"] = JSONValue(labels)
        template["metadata"] = metadata
        var selector = spec?["selector"] ?? [:]
        var matched = selector["matchLabels"]?.stringMap ?? [:]
        matched[Self.hashLabel] = hash
        selector["matchLabels"] = JSONValue(matched)
        set.labels = labels
        set.annotations = Self.handedDown(deployment.annotations)
        set.annotations[Self.revisionAnnotation] = "\(revision)"
        set.annotations.merge(Self.sizes(deployment)) { $1 }
        set.ownerReferences = [OwnerReference(controller: deployment)]
        set.json["spec"] = ["replicas": 0, "selector": selector, "template": template]
        set.json["spec"]?["minReadySeconds"] = spec?["minReadySeconds"]
        return set
    }

    /// Gives the set that is current (again) the newest revision, and the Deployment the same.
    private mutating func claim(
        _ current: KubeObject, _ deployment: KubeObject, _ sets: [KubeObject]
    ) -> Set<ObjectKey> {
        func revision(_ object: KubeObject) -> Int {
            object.annotations[Self.revisionAnnotation].flatMap { Int($0) } ?? 0
        }
        var touched: Set<ObjectKey> = []
        var number = revision(current)
        if sets.contains(where: { revision($0) > number }) { number = Self.nextRevision(sets) }
        var set = current
        set.annotations[Self.revisionAnnotation] = "\(number)"
        set.annotations.merge(Self.handedDown(deployment.annotations)) { $1 }
        if set.annotations != current.annotations {
            if let written = write(set, isNew: false) { touched.insert(written.key) }
        }
        if revision(deployment) != number {
            var changed = deployment
            changed.annotations[Self.revisionAnnotation] = "\(number)"
            if let written = write(changed, isNew: false) { touched.insert(written.key) }
        }
        return touched
    }

    /// What a ReplicaSet says like its Deployment, such as why there is this revision.
    private static func handedDown(_ annotations: [String: String]) -> [String: String] {
        let own = [
            revisionAnnotation, sizeAnnotation, mostAnnotation, "kubectl.kubernetes.io/last-applied-configuration",
        ]
        return annotations.filter { !own.contains($0.key) }
    }

    private static func nextRevision(_ sets: [KubeObject]) -> Int {
        (sets.compactMap { $0.annotations[revisionAnnotation].flatMap { Int($0) } }.max() ?? 0) + 1
    }

    /// Old sets without pods are kept for `rollout undo`, up to a limit.
    private mutating func cleanUp(_ olds: [KubeObject], _ deployment: KubeObject) {
        let limit = deployment.json["spec"]?["revisionHistoryLimit"]?.intValue ?? 10
        let empty = olds.filter { set in
            set.json["spec"]?["replicas"]?.intValue == 0 && index.pods(ownedBy: set.uid ?? "").isEmpty
        }
        for set in empty.dropLast(max(0, limit)) { delete(set) }
    }

    /// The hash in the name of the ReplicaSet that has the Deployment's template, or will have it.
    private static func hash(of deployment: KubeObject, among sets: [KubeObject]) -> String {
        let template = (deployment.json["spec"]?["template"] ?? [:]).essence
        func other(_ set: KubeObject) -> JSONValue {
            var other = set.json["spec"]?["template"] ?? [:]
            other["metadata"]?["labels"]?[hashLabel] = nil
            return other
        }
        let present =
            sets.first { other($0).essence == template }
            // One that an earlier version of this program stored may lack a default that is filled in by now.
            ?? sets.first {
                WorkloadRules.filledIn(other($0)).essence
                    == WorkloadRules.filledIn(deployment.json["spec"]?["template"] ?? [:]).essence
            }
        return present?.labels[hashLabel] ?? hash(template)
    }

    /// Ten characters that differ when the template does.
    static func hash(_ template: JSONValue) -> String {
        var hash = StableHash.fnv1a(template.serialized())
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
        return String(
            (0..<10).map { _ in
                defer { hash /= UInt64(alphabet.count) }
                return alphabet[Int(hash % UInt64(alphabet.count))]
            })
    }
}
