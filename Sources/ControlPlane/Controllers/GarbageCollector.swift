import ClusterModel
import ClusterStore
import Logging

/// Deletes objects whose owners are all gone (semantics 1.5).
struct GarbageCollector {
    private let store: Store
    private let logger: Logger
    /// Who is owned by which uid.
    private var dependents: [String: Set<ObjectKey>] = [:]
    private var owners: [ObjectKey: Set<String>] = [:]
    private var present: Set<String> = []

    init(_ store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
        // An object's event may come before its owner's.
        present = Set(ResourceType.allCases.flatMap { store.list($0).items }.compactMap(\.uid))
    }

    mutating func handle(_ events: [WatchEvent]) {
        var suspects: Set<ObjectKey> = []
        for event in events {
            let object = event.object
            let isDeleted = event.kind == .deleted
            if let uid = object.uid {
                if isDeleted {
                    present.remove(uid)
                    suspects.formUnion(dependents[uid] ?? [])
                } else {
                    present.insert(uid)
                }
            }
            note(object.key, ownedBy: isDeleted ? [] : Set(object.ownerReferences.map(\.uid)))
            if !isDeleted, !object.ownerReferences.isEmpty, event.kind == .added { suspects.insert(object.key) }
        }
        for key in suspects.sorted() {
            guard let owners = owners[key], !owners.isEmpty, owners.isDisjoint(with: present) else { continue }
            do throws(APIError) {
                _ = try store.delete(key)
            } catch {
                if error.reason != .notFound {
                    logger.warning("not collected", metadata: ["object": "\(key)", "reason": "\(error)"])
                }
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
