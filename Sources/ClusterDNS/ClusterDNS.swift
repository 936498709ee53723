import ClusterModel
package import ClusterStore
package import Logging
package import NIOPosix
package import NetTypes
import Synchronization

/// The cluster's name server: sockets, and a zone that follows the store.
///
/// ``start(store:zone:server:upstreams:logger:now:group:)`` binds; until ``run()`` has read the store the cluster's own names get
/// SERVFAIL (6.2). Ending the task of ``run()`` closes the sockets.
package final class ClusterDNS: Sendable {
    private let store: Store
    private let zone: ZoneHolder
    private let server: DNSServer
    private let forwarder: Forwarder
    private let now: @Sendable () -> UInt32
    private let logger: Logger
    /// The store's revision that the zone has reached.
    private let reached = Atomic<UInt64>(0)
    /// What was answered so far.
    package let metrics: DNSMetrics

    private init(
        store: Store, zone: ZoneHolder, server: DNSServer, forwarder: Forwarder, metrics: DNSMetrics,
        now: @escaping @Sendable () -> UInt32, logger: Logger
    ) {
        self.store = store
        self.zone = zone
        self.server = server
        self.forwarder = forwarder
        self.metrics = metrics
        self.now = now
        self.logger = logger
    }

    /// Binds the sockets.
    ///
    /// `upstreams` are the node's name servers; those that are this server itself, or turn out to lead back to it, are left
    /// out, so that no query goes round in circles. `now` is the time in seconds since 1970, for the SOA serial.
    package static func start(
        store: Store, zone settings: ZoneSettings, server: DNSServerSettings, upstreams: [SocketEndpoint],
        logger: Logger, now: @escaping @Sendable () -> UInt32, group: MultiThreadedEventLoopGroup = .singleton
    ) async throws -> ClusterDNS {
        let holder = ZoneHolder(Zone(settings: settings, serial: now()))
        let metrics = DNSMetrics()
        let forwarder = Forwarder(
            upstreams: upstreams.filter { !server.endpoints.contains($0) },
            onLoop: { upstream in
                logger.warning(
                    "an upstream name server leads back to cluster DNS and is left out",
                    metadata: ["server": "\(upstream)"])
            })
        let responder = Responder(
            zone: holder, forwarder: forwarder, metrics: metrics,
            queryLog: server.logsQueries ? Self.queryLog(logger) : nil)
        let running = try await DNSServer.start(server, responder: responder, group: group)
        logger.info(
            "cluster dns listening", metadata: ["addresses": "\(running.endpoints)", "domain": "\(settings.domain)"])
        return ClusterDNS(
            store: store, zone: holder, server: running, forwarder: forwarder, metrics: metrics, now: now,
            logger: logger)
    }

    /// Who asks for the query log wants to see it, however little the rest may say.
    private static func queryLog(_ logger: Logger) -> Logger {
        var log = logger
        log.logLevel = min(logger.logLevel, .info)
        return log
    }

    /// Whether all that the store knows of names can be asked for.
    package var isCurrent: Bool { reached.load(ordering: .acquiring) >= store.lastChange(of: Zone.types) }

    /// Where it listens, UDP and TCP.
    package var endpoints: [SocketEndpoint] { server.endpoints }

    /// Upstream replies that came from the cache.
    package var cacheHits: UInt64 { forwarder.cacheHits }

    /// Queries, latencies and cache hits in Prometheus's text format.
    package var metricsText: String { metrics.prometheusText(cacheHits: cacheHits) }

    /// Follows the store until the task is cancelled, then closes the sockets.
    ///
    /// - Parameter onChange: called when ``isCurrent`` may have changed.
    package func run(onChange: @Sendable () -> Void = {}) async {
        while !Task.isCancelled {
            guard let changes = readAll() else { continue }
            onChange()
            for await change in changes {
                zone.update { $0.apply(change, serial: now()) }
                reached.store(change.revision, ordering: .releasing)
                onChange()
            }
            // Too slow for the store, or the end.
            if !Task.isCancelled { logger.notice("dns fell behind the store and reads it again") }
        }
        await server.stop()
    }

    /// Makes the zone from all that is in the store, and says how to go on; nil when the store has moved on too far.
    private func readAll() -> WatchStream? {
        // The revision comes before the objects: a change in between is then seen twice, which does no harm.
        let (namespaces, revision) = store.list(.namespaces)
        var fresh = Zone(settings: zone.current.settings, serial: now())
        for object in namespaces { fresh.set(object, isPresent: true, serial: fresh.serial) }
        for type in [ResourceType.services, .endpointslices] {
            for object in store.list(type).items { fresh.set(object, isPresent: true, serial: fresh.serial) }
        }
        fresh.markSynced()
        guard let changes = try? store.watch(Zone.types, after: revision) else { return nil }
        zone.update { $0 = fresh }
        reached.store(revision, ordering: .releasing)
        return changes
    }
}
