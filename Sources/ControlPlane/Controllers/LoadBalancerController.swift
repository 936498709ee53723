import ClusterModel
import ClusterStore
import Logging
import NetTypes

/// Gives LoadBalancer Services an address of the pool, in their status (semantics 2.9).
///
/// Services with a loadBalancerClass belong to somebody else. A wish in `loadBalancerIP` is granted if it lies in the
/// pool and is free.
struct LoadBalancerController {
    static let types: Set<ResourceType> = [.services]

    private let store: Store
    private let logger: Logger
    private var pool: AddressPool?
    private var owners: [ObjectKey: IPAddress] = [:]
    /// Services for which there was no address; they are told about once.
    private var waiting: Set<ObjectKey> = []

    init(_ store: Store, range: CIDR?, logger: Logger) {
        self.store = store
        self.logger = logger
        pool = range.map(AddressPool.init)
    }

    mutating func handle(_ events: [WatchEvent]) {
        for event in events {
            let service = Service(event.object)
            let isWanted = event.kind != .deleted && service.type == .loadBalancer && service.loadBalancerClass == nil
            if isWanted { serve(service) } else { release(event.object.key) }
        }
    }

    private mutating func serve(_ service: Service) {
        let key = service.object.key
        if let present = service.loadBalancerIngress.first?.ip, owners[key] == nil, pool?.take(present) == true {
            // From before our start.
            owners[key] = present
        }
        guard let address = owners[key] ?? address(for: service) else {
            if waiting.insert(key).inserted {
                logger.warning("no load balancer address is left", metadata: ["service": "\(key)"])
            }
            return
        }
        owners[key] = address
        guard service.loadBalancerIngress.first?.ip != address else { return }
        do throws(APIError) {
            _ = try store.modify(key) { object in
                guard object.json["spec"]?["type"]?.stringValue == "LoadBalancer" else { return }
                object.json["status"] = [
                    "loadBalancer": ["ingress": [["ip": .string(address.description), "ipMode": "VIP"]]]
                ]
            }
        } catch {
            if error.reason != .notFound { logger.warning("\(error)") }
        }
    }

    private mutating func address(for service: Service) -> IPAddress? {
        if let wish = service.loadBalancerIP, pool?.take(wish) == true { return wish }
        // The lowest free one: the same Services get the same addresses after each start.
        var index: UInt64 = 1
        while let candidate = pool?.address(at: index), pool?.isUsable(candidate) == true {
            if pool?.take(candidate) == true { return candidate }
            index += 1
        }
        return nil
    }

    private mutating func release(_ key: ObjectKey) {
        waiting.remove(key)
        guard let address = owners.removeValue(forKey: key) else { return }
        pool?.release(address)
        // Somebody may have waited for it.
        for other in waiting.sorted() {
            guard let object = store.get(other) else { continue }
            waiting.remove(other)
            serve(Service(object))
        }
    }
}
