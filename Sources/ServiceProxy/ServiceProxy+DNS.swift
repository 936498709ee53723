import ClusterDNS
package import ClusterModel
import ControlPlane
import DNSWire
import Logging
import NetTypes
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
        let endpoint = SocketEndpoint(address: address, port: configuration.dnsPort)
        let upstreams = nodeResolvConf.nameservers.compactMap { text in
            IPAddress(text).map { SocketEndpoint(address: $0, port: 53) }
        }
        let now = configuration.unixSeconds
        do {
            let running = try await ClusterDNS.start(
                store: store, zone: ZoneSettings(domain: configuration.clusterDomain, ttl: configuration.dnsTTL),
                server: DNSServerSettings(
                    endpoints: [endpoint], socketsPerEndpoint: 2, logsQueries: configuration.logsQueries),
                upstreams: upstreams, logger: logger, now: { UInt32(clamping: now()) })
            dns.withLock { $0 = .running(running) }
            await running.run(onChange: onChange)
        } catch {
            report("dns", ["cluster DNS cannot listen at \(endpoint): \(error)"])
        }
    }
}
