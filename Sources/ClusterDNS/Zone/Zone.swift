package import ClusterModel
package import ClusterStore
import DNSWire
import NetTypes

/// The names of a cluster at one moment: a value, computed from Namespaces, Services and EndpointSlices.
///
/// A change of an object touches what is known of its Service only. A copy is a snapshot and costs nothing until one of
/// the two changes.
package struct Zone: Sendable {
    package let settings: ZoneSettings
    /// Seconds since 1970 of the last change.
    package private(set) var serial: UInt32
    /// Whether everything that was in the store is in the zone; before, nothing can be said not to exist (6.2).
    package private(set) var isSynced = false

    private(set) var namespaces: Set<String> = []
    private var services: [ServiceKey: ServiceNames] = [:]
    private var slices: [ServiceKey: [String: EndpointSlice]] = [:]
    private var ownerOfSlice: [String: ServiceKey] = [:]
    /// Services by cluster IP, and by address of a ready endpoint.
    private var clusterIPs: [IPAddress: Set<ServiceKey>] = [:]
    private var endpointIPs: [IPAddress: Set<ServiceKey>] = [:]

    /// What may be answered differently since ``takeChanges()`` was last called.
    private var changes = ZoneChanges.everything

    /// The kinds of objects that ``apply(_:serial:)`` takes.
    package static let types: Set<ResourceType> = [.namespaces, .services, .endpointslices]

    /// An empty zone that is not yet synced.
    package init(settings: ZoneSettings = ZoneSettings(), serial: UInt32 = 0) {
        self.settings = settings
        self.serial = serial
    }

    func service(_ key: ServiceKey) -> ServiceNames? { services[key] }

    /// The first Service, by namespace and name, that has this cluster IP.
    func service(withClusterIP address: IPAddress) -> ServiceKey? { clusterIPs[address]?.min() }

    /// Services with a ready endpoint at this address, in order.
    func services(withEndpoint address: IPAddress) -> [ServiceKey] { endpointIPs[address]?.sorted() ?? [] }

    /// Whether a ready endpoint in `namespace` has this address.
    func hasEndpoint(at address: IPAddress, in namespace: String) -> Bool {
        endpointIPs[address]?.contains { $0.namespace == namespace } ?? false
    }

    /// Says that all that was in the store has been applied.
    package mutating func markSynced() {
        isSynced = true
        changes = .everything
    }

    /// What has changed since the last call, or since the zone was made.
    mutating func takeChanges() -> ZoneChanges {
        defer { changes = .services([]) }
        return changes
    }

    /// Takes one change of the store; changes of other kinds of objects are ignored.
    package mutating func apply(_ event: WatchEvent, serial: UInt32) {
        set(event.object, isPresent: event.kind != .deleted, serial: serial)
    }

    /// Takes an object as it is now, or takes it away.
    package mutating func set(_ object: KubeObject, isPresent: Bool, serial: UInt32) {
        guard let type = object.type, Self.types.contains(type) else { return }
        self.serial = serial
        switch type {
        case .namespaces:
            changes = .everything
            if isPresent { namespaces.insert(object.name) } else { namespaces.remove(object.name) }
        case .services:
            let key = ServiceKey(namespace: object.namespace, name: object.name)
            replace(key, with: isPresent ? ServiceNames(Service(object)) : nil)
        case .endpointslices: setSlice(EndpointSlice(object), isPresent: isPresent)
        default: return
        }
    }

    private mutating func setSlice(_ slice: EndpointSlice, isPresent: Bool) {
        let sliceID = "\(slice.namespace)/\(slice.name)"
        // The label may have been moved to another Service.
        if let owner = ownerOfSlice.removeValue(forKey: sliceID) {
            slices[owner]?[slice.name] = nil
            if slices[owner]?.isEmpty == true { slices[owner] = nil }
            if !isPresent || owner.name != slice.serviceName { replace(owner, with: services[owner]) }
        }
        guard isPresent, let serviceName = slice.serviceName else { return }
        let key = ServiceKey(namespace: slice.namespace, name: serviceName)
        ownerOfSlice[sliceID] = key
        slices[key, default: [:]][slice.name] = slice
        replace(key, with: services[key])
    }

    /// Exchanges what is known of a Service and the ways that lead to it.
    private mutating func replace(_ key: ServiceKey, with names: ServiceNames?) {
        changes.insert(key)
        if let old = services[key] {
            if case .cluster(let addresses) = old.kind { for ip in addresses { Self.unlink(&clusterIPs, ip, key) } }
            for endpoint in old.endpoints { Self.unlink(&endpointIPs, endpoint.address, key) }
        }
        guard var names else {
            services[key] = nil
            return
        }
        let own = (slices[key] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
        names.setEndpoints(from: own)
        if case .cluster(let addresses) = names.kind { for ip in addresses { clusterIPs[ip, default: []].insert(key) } }
        for endpoint in names.endpoints { endpointIPs[endpoint.address, default: []].insert(key) }
        services[key] = names
    }

    private static func unlink(_ table: inout [IPAddress: Set<ServiceKey>], _ address: IPAddress, _ key: ServiceKey) {
        table[address]?.remove(key)
        if table[address]?.isEmpty == true { table[address] = nil }
    }
}
