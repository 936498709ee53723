import ClusterModel
import ClusterStore
import Logging
import NetTypes

@testable import ControlPlane

/// The controllers on a store, driven by hand: every call of `settle` handles what has happened since the last one.
struct Driven {
    let cluster: Cluster
    private var slices: EndpointSliceController
    private var balancer: LoadBalancerController
    private var namespaces: NamespaceController
    private var collector: GarbageCollector
    private var workloads: WorkloadController
    private let builtIns: BuiltInKeeper
    private var claims: ClaimBinder
    private var scheduler: Scheduler
    private var eviction: TaintEviction
    private let schedules: Bool
    private var seen: UInt64 = 0

    /// - Parameter schedules: whether pods get nodes, and lose them by taints.
    init(_ ranges: [String] = ["10.96.0.0/16"], loadBalancers: String? = nil, schedules: Bool = false) throws {
        cluster = try Cluster(ranges, loadBalancers: loadBalancers)
        self.schedules = schedules
        let now: @Sendable () -> Int64 = { [clock = cluster.clock] in clock.seconds }
        let events = EventRecorder(cluster.store, now: now)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        slices = EndpointSliceController(cluster.store, events: events, logger: logger)
        balancer = LoadBalancerController(
            cluster.store, range: loadBalancers.flatMap { CIDR($0) }, logger: logger)
        namespaces = NamespaceController(cluster.store, logger: logger)
        collector = GarbageCollector(cluster.store, logger: logger)
        workloads = WorkloadController(cluster.store, events: events, logger: logger, now: now)
        claims = ClaimBinder(cluster.store, logger: logger)
        builtIns = BuiltInKeeper(cluster.store, networks: cluster.networks, dnsPod: nil, logger: logger)
        scheduler = Scheduler(cluster.store, events: events, logger: logger, now: now)
        eviction = TaintEviction(cluster.store, events: events, logger: logger, now: now)
    }

    mutating func settle() async throws {
        for _ in 0..<6 {
            let revision = cluster.store.list(.services).revision
            guard revision > seen else { return }
            let stream = try cluster.store.watch(Set(ResourceType.allCases), after: seen)
            var events: [WatchEvent] = []
            // A sentinel ends the reading: everything before it has been delivered.
            let end = try cluster.store.create(KubeObject(.nodes, name: "sentinel-\(revision)"))
            for await event in stream {
                if event.object.name == end.name { break }
                events.append(event)
            }
            _ = try cluster.store.delete(end.key)
            seen = cluster.store.list(.services).revision
            events.removeAll { $0.object.name.hasPrefix("sentinel-") }
            claims.handle(events.filter { $0.object.type == .persistentvolumeclaims })
            builtIns.handle(events.filter { $0.object.type == .services })
            if schedules {
                scheduler.handle(events.filter { $0.object.type.map(Scheduler.types.contains) ?? false })
                eviction.handle(events.filter { $0.object.type.map(TaintEviction.types.contains) ?? false })
            }
            balancer.handle(events.filter { $0.object.type == .services })
            slices.handle(events.filter { $0.object.type.map(EndpointSliceController.types.contains) ?? false })
            workloads.handle(events.filter { $0.object.type.map(WorkloadController.types.contains) ?? false })
            namespaces.handle(events)
            collector.handle(events)
        }
    }

    func slices(of service: String) -> [EndpointSlice] {
        cluster.store.list(.endpointslices, namespace: "kiada").items.map(EndpointSlice.init)
            .filter { $0.serviceName == service }
    }

    /// What the Events about an object say: type, reason and message.
    func events(about name: String) -> [String] {
        cluster.store.list(.events).items.filter { $0.json["involvedObject"]?["name"]?.stringValue == name }
            .map { event in
                ["type", "reason", "message"].compactMap { event.json[$0]?.stringValue }.joined(separator: " ")
            }
            .sorted()
    }

    /// Lets the controllers notice that time has passed.
    mutating func tick() {
        eviction.handle([])
        workloads.handle([])
    }

    func endpoints(of service: String) -> [EndpointSlice.Endpoint] { slices(of: service).flatMap(\.endpoints) }

    /// The Endpoints object of a Service.
    func object(of service: String) -> KubeObject? {
        cluster.store.get(ObjectKey(.endpoints, namespace: "kiada", name: service))
    }
}
