import ClusterModel
import ClusterStore
import Logging

/// Brings back what every cluster has: its Services when somebody deletes them (semantics 1.7), and the pod of the name
/// server when somebody deletes or changes it.
struct BuiltInKeeper {
    static let types: Set<ResourceType> = [.services, .pods]

    private let store: Store
    private let networks: ClusterNetworks
    private let dnsPod: DNSPod?
    private let logger: Logger

    init(_ store: Store, networks: ClusterNetworks, dnsPod: DNSPod?, logger: Logger) {
        self.store = store
        self.networks = networks
        self.dnsPod = dnsPod
        self.logger = logger
    }

    func handle(_ changes: [WatchEvent]) {
        let gone = Set(changes.lazy.filter { $0.kind == .deleted }.map(\.object.key))
        if !gone.isEmpty {
            for service in BuiltInObjects.services(networks) where gone.contains(service.key) {
                keep(service.key) { () throws(APIError) in
                    if store.get(service.key) == nil { _ = try store.create(service) }
                }
            }
        }
        if let dnsPod, changes.contains(where: { $0.object.key == dnsPod.key }) {
            keep(dnsPod.key) { () throws(APIError) in try dnsPod.restore() }
        }
    }

    private func keep(_ key: ObjectKey, _ write: () throws(APIError) -> Void) {
        do throws(APIError) {
            try write()
        } catch {
            logger.warning(
                "a built-in object is not as it should be", metadata: ["object": "\(key)", "reason": "\(error)"])
        }
    }
}
