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
    private var seen: UInt64 = 0

    init(loadBalancers: String? = nil) throws {
        cluster = try Cluster(loadBalancers: loadBalancers)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        slices = EndpointSliceController(cluster.store, logger: logger)
        balancer = LoadBalancerController(
            cluster.store, range: loadBalancers.flatMap { CIDR($0) }, logger: logger)
        namespaces = NamespaceController(cluster.store, logger: logger)
        collector = GarbageCollector(cluster.store, logger: logger)
        workloads = WorkloadController(cluster.store, logger: logger) { 1_700_000_000 }
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

    func endpoints(of service: String) -> [EndpointSlice.Endpoint] { slices(of: service).flatMap(\.endpoints) }

    /// The Endpoints object of a Service.
    func object(of service: String) -> KubeObject? {
        cluster.store.get(ObjectKey(.endpoints, namespace: "kiada", name: service))
    }
}
