import ClusterModel
import ClusterStore

/// Whose pods and ReplicaSets are: those that a selector matches and nobody controls are taken, those that it no longer
/// matches are let go.
extension WorkloadController {
    /// Takes and lets go of pods of a ReplicaSet.
    mutating func claimPods(of replicaSet: KubeObject, _ uid: String) {
        guard let selector = LabelSelector(replicaSet.json["spec"]?["selector"]) else { return }
        for pod in index.pods(ownedBy: uid) where pod.deletionTimestamp == nil && !selector.matches(pod.labels) {
            change(pod) { $0.ownerReferences.removeAll { $0.uid == uid } }
        }
        for key in candidates(for: replicaSet).sorted() {
            guard let pod = store.get(key), index.mayAdopt(replicaSet, pod), Self.isActive(pod) else {
                continue
            }
            change(pod) { $0.ownerReferences.append(OwnerReference(controller: replicaSet)) }
        }
    }

    /// Pods that may be without a controller.
    private mutating func candidates(for replicaSet: KubeObject) -> Set<ObjectKey> {
        let noted = index.takeOrphans(of: replicaSet.key)
        guard isFirstLook(at: replicaSet) else { return noted }
        let present = store.list(.pods, namespace: replicaSet.namespace).items
        return noted.union(present.filter { index.mayAdopt(replicaSet, $0) }.map(\.key))
    }

    /// Takes ReplicaSets that a Deployment selects.
    mutating func adoptSets(of deployment: KubeObject) {
        for set in index.orphanedSets(of: deployment) {
            change(set) { $0.ownerReferences.append(OwnerReference(controller: deployment)) }
        }
    }

    private mutating func change(_ object: KubeObject, _ body: (inout KubeObject) -> Void) {
        var changed = object
        body(&changed)
        _ = write(changed, isNew: false)
    }
}
