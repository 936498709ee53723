import ClusterModel
import ClusterStore
import Logging

/// Makes the Services that every cluster has again when somebody deletes them (semantics 1.7).
struct BuiltInServices {
    private let store: Store
    private let networks: ClusterNetworks
    private let logger: Logger

    init(_ store: Store, networks: ClusterNetworks, logger: Logger) {
        self.store = store
        self.networks = networks
        self.logger = logger
    }

    mutating func handle(_ changes: [WatchEvent]) {
        let gone = Set(changes.lazy.filter { $0.kind == .deleted }.map(\.object.key))
        guard !gone.isEmpty else { return }
        for service in BuiltInObjects.services(networks) where gone.contains(service.key) {
            do throws(APIError) {
                if store.get(service.key) == nil { _ = try store.create(service) }
            } catch {
                logger.warning(
                    "a built-in Service is not there any more",
                    metadata: ["service": "\(service.key)", "reason": "\(error)"])
            }
        }
    }
}
