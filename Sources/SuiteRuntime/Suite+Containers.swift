import ClusterModel
import ComposePods
import ControlPlane
import FoundationEssentials
import NetTypes
import ServiceProxy

/// Pods that are containers of a compose project.
extension Suite {
    /// Always named in the API's certificate: published ports are reached there.
    static let loopback = [IPAddress("127.0.0.1"), IPAddress("::1")].compactMap { $0 }

    /// Where a pod is that somebody else runs.
    static let addresses: @Sendable (Pod) -> [IPAddress] = { pod in
        (pod.object.annotations[ReplicaPlan.addressAnnotation] ?? "").split(separator: ",").compactMap { IPAddress($0) }
    }

    /// Containers start only once this suite is ready, so it cannot wait for them.
    func arePodsReady(_ pods: [StatusReport.PodRow]) -> Bool {
        configuration.pods == .compose || pods.allSatisfy(\.isGood)
    }

    /// Makes pods of a compose project's containers, until the task is cancelled.
    func followContainers() async {
        guard configuration.pods == .compose else { return }
        await proxy.manifestsWereRead()
        let file = proxyConfiguration.nodeResolvConf
        let text = (try? String(contentsOf: URL(filePath: file), encoding: .utf8)) ?? ""
        guard let resolver = EngineResolver(resolvConf: text) else {
            proxy.setProblems("compose", ["\(file) names no resolver to ask for containers"])
            return
        }
        let watcher = ReplicaWatcher(
            store: proxy.store, resolver: resolver, nodeName: configuration.nodeName,
            families: proxyConfiguration.networks.families, logger: logger)
        await watcher.run { [proxy] in proxy.setProblems("compose", $0) }
    }

    /// Keeps the folders that containers share with the proxy, until the task is cancelled.
    func shareFiles() async {
        guard configuration.podFiles != nil || configuration.tlsFiles != nil else {
            _ = areFilesShared.raise()
            return
        }
        await proxy.manifestsWereRead()
        let folders = SharedFolders(
            pods: configuration.podFiles, tls: configuration.tlsFiles, nodeName: configuration.nodeName,
            nodeAddress: proxyConfiguration.nodeAddress, clusterDomain: configuration.clusterDomain,
            authority: authority)
        await folders.run(proxy.store) { [self] problems in
            proxy.setProblems("shared folders", problems)
            _ = areFilesShared.raise()
            bell.continuation.yield()
        }
    }
}

extension AddressPlan {
    /// Puts these addresses in place of the usual ones.
    func apply(to configuration: inout ServiceProxyConfiguration) {
        configuration.networks = ClusterNetworks(
            serviceRanges: serviceRanges, loadBalancerRange: loadBalancerRange, podRanges: podRanges)
        configuration.podRange = podRanges.first ?? configuration.podRange
        configuration.nodeAddress = nodeAddress
        configuration.healthAddress = nodeAddress
    }
}
