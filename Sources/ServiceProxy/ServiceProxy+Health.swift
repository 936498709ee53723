import ClusterDNS
import ClusterModel
import ClusterStore
import ControlPlane
import NetTypes
import ProxyHealth
import ServiceRouting
import Synchronization

extension ServiceProxy {
    /// What the server of health and metrics tells about this proxy.
    func proxyStatus(_ plane: any DataPlane) -> ProxyStatus {
        let node = configuration.nodeName
        return ProxyStatus(
            ProxyStatus.Sources(
                planeName: { plane.name }, counters: { await plane.counters() },
                isNodeEligible: { [store] in Self.isEligible(store.get(ObjectKey(.nodes, name: node))) },
                otherMetrics: { [self] in dns.withLock { $0.metricsText } }))
    }

    /// Serves health and metrics until the task is cancelled; a port that is taken does not stop the rest.
    func serveHealth(_ status: ProxyStatus) async {
        guard let port = configuration.healthPort else { return }
        let endpoint = SocketEndpoint(address: configuration.healthAddress, port: port)
        do {
            let server = try await HealthServer.start(at: endpoint, hostNames: [configuration.nodeName]) { path in
                await status.reply(to: path)
            }
            await Self.untilCancelled()
            await server.stop()
        } catch {
            report(
                "health",
                ["health and metrics cannot be served at \(endpoint): \(error). Choose another --health-port."])
        }
    }

    static func untilCancelled() async {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        for await _ in stream {}
        continuation.finish()
    }

    /// Tells which servers on healthCheckNodePorts could not be started, each once as an Event of its Service (7.13).
    func noteHealthChecks(_ problems: [HealthCheckServers.Problem]) {
        let new = report("health checks", problems.map(\.description))
        for problem in problems where new.contains(problem.description) {
            let key = ObjectKey(.services, namespace: problem.service.namespace, name: problem.service.name)
            guard let service = store.get(key) else { continue }
            events.record(
                service, by: "service-proxy", isWarning: true, reason: "FailedToStartServiceHealthcheck",
                message: "node \(configuration.nodeName) failed to start healthcheck on port \(problem.port): "
                    + problem.description)
        }
    }

    /// Whether a node may get traffic from outside (7.14).
    static func isEligible(_ node: KubeObject?) -> Bool {
        guard let node, node.deletionTimestamp == nil else { return false }
        let taints = node.json["spec"]?["taints"]?.arrayValue ?? []
        return !taints.contains { $0["key"]?.stringValue == "ToBeDeletedByClusterAutoscaler" }
    }
}

extension ProxyStatus {
    /// The annotation of a slice that says when what it tells of has happened.
    private static let trigger = "endpoints.kubernetes.io/last-change-trigger-time"

    /// Measures how long a burst of changes takes to become effective.
    func measure(_ batch: [WatchEvent], isFull: Bool, _ sync: () async -> [FrontendProblem]) async {
        let services = batch.count { $0.object.type == .services }
        let triggers = batch.compactMap { event -> Int64? in
            guard event.kind != .deleted, event.object.type == .endpointslices else { return nil }
            return event.object.annotations[Self.trigger].flatMap { Timestamp.unixSeconds(of: $0) }
        }
        await measure(
            services: services, endpoints: batch.count - services, isFull: isFull, triggers: triggers
        ) {
            await sync().contains { problem in
                if case .other = problem.cause { true } else { false }
            }
        }
    }
}
