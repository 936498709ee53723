import ClusterModel
import ClusterStore
import Logging

/// Sees to it that every namespace has the ServiceAccount that its pods have unless they name another one.
struct ServiceAccountKeeper {
    static let types: Set<ResourceType> = [.namespaces, .serviceaccounts]
    static let defaultName = "default"

    private let store: Store
    private let logger: Logger

    init(_ store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    func handle(_ changes: [WatchEvent]) {
        var names: Set<String> = []
        for change in changes {
            let object = change.object
            if object.type == .namespaces {
                if change.kind == .added { names.insert(object.name) }
            } else if change.kind == .deleted, object.name == Self.defaultName {
                names.insert(object.namespace)
            }
        }
        for name in names.sorted() { ensure(in: name) }
    }

    private func ensure(in namespace: String) {
        let account = KubeObject(.serviceaccounts, namespace: namespace, name: Self.defaultName)
        guard store.get(account.key) == nil else { return }
        do throws(APIError) {
            _ = try store.create(account)
        } catch {
            // The namespace may be on its way out, or somebody else was faster.
            if ![.notFound, .forbidden, .alreadyExists].contains(error.reason) {
                logger.warning(
                    "no default ServiceAccount", metadata: ["namespace": "\(namespace)", "reason": "\(error)"])
            }
        }
    }
}
