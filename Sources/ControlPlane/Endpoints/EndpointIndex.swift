import ClusterModel
import NetTypes

/// Which pods belong to which Services, kept so that one pod's change costs O(its Services).
struct EndpointIndex {
    /// A Service by namespace and name.
    struct ServiceName: Hashable, Comparable {
        let namespace: String
        let name: String

        static func < (left: ServiceName, right: ServiceName) -> Bool {
            (left.namespace, left.name) < (right.namespace, right.name)
        }
    }

    /// One label in one namespace.
    private struct Label: Hashable {
        let namespace: String
        let key: String
        let value: String
    }

    private(set) var services: [ServiceName: Service] = [:]
    private(set) var nodes: [String: Node] = [:]
    /// By uid, as there may be many.
    private var pods: [String: EndpointPod] = [:]
    private var podsByLabel: [Label: Set<String>] = [:]
    /// Services by one pair of their selector: a pod of theirs has it.
    private var servicesByLabel: [Label: Set<ServiceName>] = [:]
    private var slices: [ServiceName: [String: KubeObject]] = [:]
    /// Endpoints objects by the name that they share with their Service.
    private(set) var endpoints: [ServiceName: KubeObject] = [:]

    /// Takes a change in, and answers the Services whose endpoints may differ now.
    mutating func apply(_ object: KubeObject, isDeleted: Bool) -> Set<ServiceName> {
        let name = ServiceName(namespace: object.namespace, name: object.name)
        switch object.type {
        case .services: return set(isDeleted ? nil : Service(object), name)
        case .pods: return set(isDeleted ? nil : EndpointPod(object), uid: object.uid ?? "")
        case .nodes:
            let node = isDeleted ? nil : Node(object)
            guard nodes[object.name] != node else { return [] }
            nodes[object.name] = node
            return Set(services.keys)
        case .endpointslices: return noteSlice(object, isDeleted: isDeleted)
        case .endpoints: return noteEndpoints(object, isDeleted: isDeleted)
        default: return []
        }
    }

    /// The pods that the selector of a Service picks, sorted by name.
    func pods(of service: Service) -> [EndpointPod] {
        guard let selector = service.selector, let pair = Self.pair(of: selector) else { return [] }
        let label = Label(namespace: service.namespace, key: pair.key, value: pair.value)
        return (podsByLabel[label] ?? []).compactMap { pods[$0] }
            .filter { $0.matches(selector) }
            .sorted { $0.name < $1.name }
    }

    /// The slices with the label of a Service, ours and others'.
    func slices(of service: ServiceName) -> [KubeObject] { Array((slices[service] ?? [:]).values) }

    /// Notes a slice as it is in the store; an older state than the known one is ignored.
    ///
    /// - Returns: the Service to look at again.
    mutating func noteSlice(_ object: KubeObject, isDeleted: Bool) -> Set<ServiceName> {
        guard let name = object.labels[EndpointSlice.serviceNameLabel] else { return [] }
        let service = ServiceName(namespace: object.namespace, name: name)
        let known = slices[service]?[object.name]
        let isNewer = Self.revision(object) > known.map(Self.revision) ?? 0
        if isDeleted {
            guard known != nil, isNewer || known?.uid == object.uid else { return [] }
            slices[service]?[object.name] = nil
            if slices[service]?.isEmpty == true { slices[service] = nil }
            return [service]
        }
        guard isNewer else { return [] }
        slices[service, default: [:]][object.name] = object
        return [service]
    }

    /// Notes an Endpoints object as it is in the store; an older state than the known one is ignored.
    mutating func noteEndpoints(_ object: KubeObject, isDeleted: Bool) -> Set<ServiceName> {
        let name = ServiceName(namespace: object.namespace, name: object.name)
        guard Self.revision(object) > endpoints[name].map(Self.revision) ?? 0 else { return [] }
        endpoints[name] = isDeleted ? nil : object
        return [name]
    }

    private static func revision(_ object: KubeObject) -> UInt64 { object.resourceVersion.flatMap { UInt64($0) } ?? 0 }

    private mutating func set(_ service: Service?, _ name: ServiceName) -> Set<ServiceName> {
        if let old = services[name], let pair = old.selector.flatMap(Self.pair) {
            let label = Label(namespace: name.namespace, key: pair.key, value: pair.value)
            servicesByLabel[label]?.remove(name)
            if servicesByLabel[label]?.isEmpty == true { servicesByLabel[label] = nil }
        }
        services[name] = service
        if let pair = service?.selector.flatMap(Self.pair) {
            servicesByLabel[Label(namespace: name.namespace, key: pair.key, value: pair.value), default: []].insert(
                name)
        }
        return [name]
    }

    private mutating func set(_ pod: EndpointPod?, uid: String) -> Set<ServiceName> {
        var touched: Set<ServiceName> = []
        if let old = pods[uid] {
            touched.formUnion(servicesPicking(old))
            for (key, value) in old.allLabels {
                let label = Label(namespace: old.namespace, key: key, value: value)
                podsByLabel[label]?.remove(uid)
                if podsByLabel[label]?.isEmpty == true { podsByLabel[label] = nil }
            }
        }
        pods[uid] = pod
        if let pod {
            for (key, value) in pod.allLabels {
                podsByLabel[Label(namespace: pod.namespace, key: key, value: value), default: []].insert(uid)
            }
            touched.formUnion(servicesPicking(pod))
        }
        return touched
    }

    private func servicesPicking(_ pod: EndpointPod) -> [ServiceName] {
        pod.allLabels.flatMap { key, value in
            servicesByLabel[Label(namespace: pod.namespace, key: key, value: value)] ?? []
        }
        .filter { name in
            services[name]?.selector.map(pod.matches) ?? false
        }
    }

    private static func pair(of selector: [String: String]) -> (key: String, value: String)? {
        selector.min { $0.key < $1.key }
    }
}
