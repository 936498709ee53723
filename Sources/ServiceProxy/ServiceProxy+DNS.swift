import ClusterDNS
package import ClusterModel
import ControlPlane
import DNSWire
import Logging
import NetTypes
import ProxyHealth
import Synchronization

extension ServiceProxy {
    /// The name server of a proxy.
    enum NameServer {
        case starting
        case running(ClusterDNS)
        /// It has ended, cannot listen, or there is no address for it.
        case off

        /// Whether all that the store knows of names can be asked for, if it ever will be.
        var isSettled: Bool {
            switch self {
            case .starting: false
            case .running(let dns): dns.isCurrent
            case .off: true
            }
        }

        /// Its metrics in Prometheus's text format; nothing while it does not run.
        var metricsText: String {
            switch self {
            case .running(let dns): dns.metricsText
            case .starting, .off: ""
            }
        }
    }

    /// The resolv.conf of a pod (semantics 6.12).
    package func resolvConf(for pod: Pod) -> String {
        let dns = PodDNS(podSpec: pod.object.json["spec"] ?? [:])
        var domain = configuration.clusterDomain.description
        if domain.hasSuffix(".") { domain.removeLast() }
        let result = ResolvConf.forPod(
            dns, namespace: pod.namespace, clusterDNS: dnsAddress.map { [$0] } ?? [], domain: domain,
            node: nodeResolvConf)
        for warning in result.warnings {
            events.record(
                pod.object, by: "pod-runtime", isWarning: true, reason: warning.reason, message: warning.message)
            logger.warning(
                "\(warning.reason)", metadata: ["pod": "\(pod.namespace)/\(pod.name)", "message": "\(warning.message)"])
        }
        return result.file.description
    }

    /// Answers names until the task is cancelled.
    func runDNS() async {
        defer {
            dns.withLock { $0 = .off }
            onChange()
        }
        guard let address = dnsAddress else { return }
        let clusterIP = SocketEndpoint(address: address, port: configuration.dnsPort)
        do {
            let running = try await startDNS(at: clusterIP)
            dns.withLock { $0 = .running(running) }
            await withDiscardingTaskGroup { group in
                group.addTask { await self.serveDNSMetrics(at: running.endpoints.map(\.address)) }
                await running.run(onChange: onChange)
                group.cancelAll()
            }
        } catch {
            let reason = "cluster DNS cannot listen at \(clusterIP): \(error)"
            report("dns", [reason])
            setDNSPod(.failed(reason))
        }
    }

    /// Listens at the cluster IP, and at the node's address, where the pod of the name server is to be found.
    ///
    /// The cluster IP is what counts: without the node's address the pod is not Ready, and names are answered all the same.
    private func startDNS(at clusterIP: SocketEndpoint) async throws -> ClusterDNS {
        let pod = SocketEndpoint(address: configuration.nodeAddress, port: configuration.dnsPort)
        do {
            let running = try await startDNS(listeningAt: [clusterIP, pod])
            setDNSPod(.serving)
            return running
        } catch {
            let running = try await startDNS(listeningAt: [clusterIP])
            let reason = "cluster DNS cannot listen at \(pod): \(error)"
            logger.notice("\(reason)")
            setDNSPod(.failed(reason))
            return running
        }
    }

    private func startDNS(listeningAt endpoints: [SocketEndpoint]) async throws -> ClusterDNS {
        let upstreams = nodeResolvConf.nameservers.compactMap { text in
            IPAddress(text).map { SocketEndpoint(address: $0, port: 53) }
        }
        let now = configuration.unixSeconds
        return try await ClusterDNS.start(
            store: store, zone: ZoneSettings(domain: configuration.clusterDomain, ttl: configuration.dnsTTL),
            server: DNSServerSettings(
                endpoints: endpoints, socketsPerEndpoint: 2, logsQueries: configuration.logsQueries),
            upstreams: upstreams, logger: logger, now: { UInt32(clamping: now()) })
    }

    private func setDNSPod(_ condition: DNSPod.Condition) {
        do throws(APIError) {
            try dnsPod.set(condition)
        } catch {
            logger.warning("the pod of cluster DNS does not show how it is: \(error)")
        }
    }

    /// Serves the name server's metrics where the Service `kube-dns` says they are, until the task is cancelled.
    private func serveDNSMetrics(at addresses: [IPAddress]) async {
        guard configuration.dnsPort == DNSPod.queryPort else { return }
        let domain = configuration.clusterDomain.description.split(separator: ".").joined(separator: ".")
        let names: Set = ["kube-dns.kube-system", "kube-dns.kube-system.svc", "kube-dns.kube-system.svc.\(domain)"]
        var servers: [HealthServer] = []
        for address in addresses {
            let endpoint = SocketEndpoint(address: address, port: DNSPod.metricsPort)
            do {
                servers.append(
                    try await HealthServer.start(at: endpoint, hostNames: names) { [self] path in
                        path == "/metrics"
                            ? .metrics(dns.withLock { $0.metricsText }) : .text("404 page not found\n", status: 404)
                    })
            } catch {
                logger.notice("metrics of cluster DNS cannot be served at \(endpoint): \(error)")
            }
        }
        await Self.untilCancelled()
        for server in servers { await server.stop() }
    }
}
