import ClusterModel
package import ClusterStore
package import Logging
import Synchronization

/// The controllers: they follow the store and write into it what follows from what others wrote.
///
/// Each is level-triggered: started on any store it reaches the same state.
package final class ControlPlane: Sendable {
    private let store: Store
    private let now: @Sendable () -> Int64
    private let handled = Mutex<UInt64>(0)
    private let networks: ClusterNetworks
    private let events: EventRecorder
    private let logger: Logger
    private let dnsPod: DNSPod?

    /// - Parameters:
    ///   - dnsPod: kept as it has to be; nil where there is no name server.
    ///   - events: takes what users should know of their objects.
    ///   - now: seconds since 1970, for conditions.
    package init(
        _ store: Store, networks: ClusterNetworks, dnsPod: DNSPod? = nil, events: EventRecorder, logger: Logger,
        now: @escaping @Sendable () -> Int64 = { 0 }
    ) {
        self.events = events
        self.dnsPod = dnsPod
        self.now = now
        self.store = store
        self.networks = networks
        self.logger = logger
    }

    /// Whether everything that follows from the store's present state has been written.
    package var isSettled: Bool {
        handled.withLock { $0 } >= store.lastChange(of: Self.types)
    }

    /// All: namespaces and owners can have anything in them.
    private static let types = Set(ResourceType.allCases)

    /// Runs until the task is cancelled.
    ///
    /// - Parameter onHandled: called after each round of work, when ``isSettled`` may have become true.
    package func run(onHandled: @Sendable () -> Void = {}) async {
        while !Task.isCancelled {
            guard let stream = try? store.watch(Self.types) else { continue }
            // Made after the watch has begun: what they read from the store themselves is not older than its events.
            var slices = EndpointSliceController(store, events: events, logger: logger)
            var balancer = LoadBalancerController(store, range: networks.loadBalancerRange, logger: logger)
            var workloads = WorkloadController(store, events: events, logger: logger, now: now)
            var namespaces = NamespaceController(store, logger: logger)
            var scheduler = Scheduler(store, events: events, logger: logger, now: now)
            var eviction = TaintEviction(store, events: events, logger: logger, now: now)
            var claims = ClaimBinder(store, logger: logger)
            let builtIns = BuiltInKeeper(store, networks: networks, dnsPod: dnsPod, logger: logger)
            var collector = GarbageCollector(store, logger: logger)
            let accounts = ServiceAccountKeeper(store, logger: logger)
            var disruptions = DisruptionController(store, logger: logger, now: now)
            let batches = WatchBatches(stream).makeAsyncIterator()
            func limit() -> Duration? {
                [workloads.dueTime, eviction.dueTime].compactMap(\.self).min().map { .seconds(max(1, $0 - now())) }
            }
            while let batch = await batches.next(within: limit()) {
                claims.handle(batch.filter { $0.object.type == .persistentvolumeclaims })
                builtIns.handle(batch.filter { $0.object.type.map(BuiltInKeeper.types.contains) ?? false })
                scheduler.handle(batch.filter { $0.object.type.map(Scheduler.types.contains) ?? false })
                eviction.handle(batch.filter { $0.object.type.map(TaintEviction.types.contains) ?? false })
                balancer.handle(batch.filter { $0.object.type == .services })
                slices.handle(batch.filter { $0.object.type.map(EndpointSliceController.types.contains) ?? false })
                workloads.handle(batch.filter { $0.object.type.map(WorkloadController.types.contains) ?? false })
                accounts.handle(batch.filter { $0.object.type.map(ServiceAccountKeeper.types.contains) ?? false })
                disruptions.handle(batch.filter { $0.object.type.map(DisruptionController.types.contains) ?? false })
                namespaces.handle(batch)
                collector.handle(batch)
                guard !batch.isEmpty else { continue }
                if let last = batch.last?.revision { handled.withLock { $0 = last } }
                onHandled()
            }
            if !Task.isCancelled { logger.notice("the controllers fell behind the store and read it again") }
        }
    }
}
