import ClusterModel
import ClusterStore
import Logging

/// Empties namespaces that are being deleted, and removes them once they are empty (semantics 1.6).
struct NamespaceController {
    private let store: Store
    private let logger: Logger
    private var ending: Set<String> = []

    init(_ store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    mutating func handle(_ events: [WatchEvent]) {
        var touched: Set<String> = []
        for event in events {
            let object = event.object
            if object.type == .namespaces {
                let isEnding = event.kind != .deleted && Namespace(object).isTerminating
                if isEnding { ending.insert(object.name) } else { ending.remove(object.name) }
                if isEnding { touched.insert(object.name) }
            } else if event.kind == .deleted, ending.contains(object.namespace) {
                touched.insert(object.namespace)
            }
        }
        for name in touched.sorted() { sweep(name) }
    }

    private func sweep(_ name: String) {
        for type in ResourceType.allCases where type.isNamespaced {
            for object in store.list(type, namespace: name).items where object.deletionTimestamp == nil {
                delete(object.key)
            }
        }
        // Pods take their grace period; the last one's end brings us here again.
        delete(ObjectKey(.namespaces, name: name))
    }

    private func delete(_ key: ObjectKey) {
        do throws(APIError) {
            _ = try store.delete(key)
        } catch {
            if error.reason != .notFound {
                logger.warning("not deleted with its namespace", metadata: ["object": "\(key)", "reason": "\(error)"])
            }
        }
    }
}
