import ClusterModel
import ClusterStore
import Logging

/// Deletes objects whose owners are all gone (semantics 1.5), and does what owners wait for that are deleted in the foreground
/// or without their dependents.
struct GarbageCollector {
    private let store: Store
    private let logger: Logger
    /// Who is owned by which uid.
    private var dependents: [String: Set<ObjectKey>] = [:]
    private var owners: [ObjectKey: Set<String>] = [:]
    private var present: Set<String> = []
    /// Owners that wait for us, by uid.
    private var waiting: [String: ObjectKey] = [:]

    init(_ store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
        // An object's event may come before its owner's, and an owner's before its dependents'.
        for object in ResourceType.allCases.flatMap({ store.list($0).items }) {
            if let uid = object.uid { present.insert(uid) }
            note(object.key, ownedBy: Set(object.ownerReferences.map(\.uid)))
        }
    }

    mutating func handle(_ events: [WatchEvent]) {
        var suspects: Set<ObjectKey> = []
        var touched: Set<String> = []
        for event in events {
            let object = event.object
            let isDeleted = event.kind == .deleted
            touched.formUnion(owners[object.key] ?? [])
            if let uid = object.uid {
                if isDeleted {
                    present.remove(uid)
                    waiting[uid] = nil
                    suspects.formUnion(dependents[uid] ?? [])
                } else {
                    present.insert(uid)
                    if Self.waits(object) {
                        waiting[uid] = object.key
                        touched.insert(uid)
                    }
                }
            }
            let references = isDeleted ? [] : Set(object.ownerReferences.map(\.uid))
            note(object.key, ownedBy: references)
            touched.formUnion(references)
            if !references.isEmpty, event.kind == .added { suspects.insert(object.key) }
        }
        for uid in touched.sorted() {
            guard let key = waiting[uid], let owner = store.get(key), owner.uid == uid, Self.waits(owner) else {
                continue
            }
            attempt(key) { () throws(APIError) in
                if owner.finalizers.contains(Self.orphan) { try release(dependentsOf: owner, uid) }
                if owner.finalizers.contains(Self.foreground) { try end(dependentsOf: owner, uid) }
            }
        }
        for key in suspects.sorted() {
            guard let owners = owners[key], !owners.isEmpty, owners.isDisjoint(with: present) else { continue }
            attempt(key) { () throws(APIError) in
                guard let object = store.get(key), object.deletionTimestamp == nil else { return }
                _ = try store.delete(key, uid: object.uid)
            }
        }
    }

    // MARK: Owners that wait

    private static let orphan = DeletionPropagation.orphanFinalizer
    private static let foreground = DeletionPropagation.foregroundFinalizer

    private static func waits(_ object: KubeObject) -> Bool {
        object.deletionTimestamp != nil
            && (object.finalizers.contains(orphan) || object.finalizers.contains(foreground))
    }

    /// Takes the owner out of what it owns, and lets it go.
    private func release(dependentsOf owner: KubeObject, _ uid: String) throws(APIError) {
        for key in (dependents[uid] ?? []).sorted() {
            attempt(key) { () throws(APIError) in
                _ = try store.modify(key) { $0.ownerReferences.removeAll { $0.uid == uid } }
            }
        }
        try finish(owner, Self.orphan)
    }

    /// Deletes what the owner alone owns, and lets it go once nothing is left that blocks it.
    private func end(dependentsOf owner: KubeObject, _ uid: String) throws(APIError) {
        var isBlocked = false
        for key in (dependents[uid] ?? []).sorted() {
            guard let dependent = store.get(key),
                var reference = dependent.ownerReferences.first(where: { $0.uid == uid })
            else { continue }
            if dependent.ownerReferences.contains(where: { present.contains($0.uid) && waiting[$0.uid] == nil }) {
                // Somebody else needs it.
                attempt(key) { () throws(APIError) in
                    _ = try store.modify(key) { $0.ownerReferences.removeAll { $0.uid == uid } }
                }
                continue
            }
            if dependent.deletionTimestamp == nil {
                let own = dependent.uid.flatMap { dependents[$0] } ?? []
                let hasOwn = !own.isEmpty
                // It waits for somebody who waits already: a circle, which would never end.
                if own.contains(where: { key in waiting.values.contains(key) }) {
                    reference.blocksOwnerDeletion = false
                    attempt(key) { () throws(APIError) in
                        _ = try store.modify(key) { dependent in
                            dependent.ownerReferences = dependent.ownerReferences.map { owner in
                                var owner = owner
                                owner.blocksOwnerDeletion = false
                                return owner
                            }
                        }
                    }
                }
                attempt(key) { () throws(APIError) in
                    _ = try store.delete(key, uid: dependent.uid, propagation: hasOwn ? .foreground : .background)
                }
            }
            if reference.blocksOwnerDeletion, store.get(key)?.uid == dependent.uid { isBlocked = true }
        }
        if !isBlocked { try finish(owner, Self.foreground) }
    }

    private func finish(_ owner: KubeObject, _ finalizer: String) throws(APIError) {
        _ = try store.modify(owner.key) { present in
            if present.uid == owner.uid { present.finalizers.removeAll { $0 == finalizer } }
        }
    }

    private func attempt(_ key: ObjectKey, _ work: () throws(APIError) -> Void) {
        do throws(APIError) {
            try work()
        } catch {
            if error.reason != .notFound, error.reason != .conflict {
                logger.warning("not collected", metadata: ["object": "\(key)", "reason": "\(error)"])
            }
        }
    }

    private mutating func note(_ key: ObjectKey, ownedBy new: Set<String>) {
        let old = owners[key] ?? []
        guard old != new else { return }
        for uid in old.subtracting(new) {
            dependents[uid]?.remove(key)
            if dependents[uid]?.isEmpty == true { dependents[uid] = nil }
        }
        for uid in new.subtracting(old) { dependents[uid, default: []].insert(key) }
        owners[key] = new.isEmpty ? nil : new
    }
}
