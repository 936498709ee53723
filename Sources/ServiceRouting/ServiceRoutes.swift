package import ClusterModel
import NetTypes

/// The routes of one Service: a pure function of the Service, its slices and the node.
package enum ServiceRoutes {
    /// The label by which a Service asks other proxies than ours to serve it (7.1).
    package static let proxyNameLabel = "service.kubernetes.io/service-proxy-name"
    /// The label by which a Service asks all proxies to leave it alone, whatever its address; any value does.
    package static let headlessLabel = "service.kubernetes.io/headless"

    /// One route per frontend; none for a Service that is skipped entirely (7.1).
    package static func routes(
        of service: Service, slices: [EndpointSlice], options: RoutingOptions
    ) -> [FrontendRoute] {
        guard service.type != .externalName, !service.clusterAddresses.isEmpty,
            case let labels = service.object.labels, labels[proxyNameLabel] == nil, labels[headlessLabel] == nil
        else { return [] }
        let id = ServiceID(namespace: service.namespace, name: service.name)
        // A program of this machine that connects to an address which the machine owns has that very address as its own.
        let inside = options.insideSources
        var routes: [FrontendRoute] = []
        for port in service.ports where port.proto != .sctp {
            let portID = ServicePortID(service: id, portName: port.name, proto: port.proto)
            for family in Set(service.clusterAddresses.map(\.family)) {
                let views = NodeViews(slices: slices, port: port, family: family, options: options)
                for (kind, address) in frontends(of: service, port: port, options: options)
                where address.address.family == family {
                    let policy = kind.isExternal ? service.externalTrafficPolicy : service.internalTrafficPolicy
                    let usable = views.usable(at: address.address, kind, policy)
                    let outside = verdict(policy, usable)
                    routes.append(
                        FrontendRoute(
                            frontend: Frontend(address, port.proto), kind: kind, port: portID, outside: outside,
                            inside: kind.isExternal ? verdict(.cluster, usable) : outside,
                            affinity: service.sessionAffinityTimeout,
                            allowedSources: kind == .loadBalancer
                                ? allowedSources(of: service, vip: address.address, options) : nil,
                            insideSources: kind.isExternal && policy == .local
                                ? inside + [CIDR(only: address.address)] : [],
                            serving: usable.serving,
                            byNode: kind.isExternal
                                ? [] : views.others { verdict(policy, $0) }.filter { $0.verdict != outside }))
                }
            }
        }
        return routes
    }

    /// The frontends of a port (7.2), in order of precedence.
    private static func frontends(
        of service: Service, port: ServicePort, options: RoutingOptions
    ) -> [(FrontendKind, SocketEndpoint)] {
        var result: [(FrontendKind, SocketEndpoint)] = []
        var seen: Set<SocketEndpoint> = []
        func add(_ kind: FrontendKind, _ address: IPAddress, _ port: UInt16) {
            let endpoint = SocketEndpoint(address: address, port: port)
            guard !options.exemptAddresses.contains(address) else { return }
            if seen.insert(endpoint).inserted { result.append((kind, endpoint)) }
        }
        for address in service.clusterAddresses { add(.clusterIP, address, port.port) }
        for address in service.externalIPs { add(.externalIP, address, port.port) }
        guard service.type == .nodePort || service.type == .loadBalancer else { return result }
        if service.type == .loadBalancer {
            for ingress in service.loadBalancerIngress where ingress.isVIP {
                if let address = ingress.ip { add(.loadBalancer, address, port.port) }
            }
        }
        if let nodePort = port.nodePort {
            let addresses = options.nodePortAddresses + options.otherNodes.flatMap(\.addresses)
            for address in addresses { add(.nodePort, address, nodePort) }
        }
        if service.type == .loadBalancer, let address = options.publishAddress {
            add(.localhost, address, RoutingOptions.publishedPort(for: port.port))
        }
        return result
    }

    private static func verdict(_ policy: TrafficPolicy, _ usable: UsableEndpoints) -> Verdict {
        switch policy {
        case .cluster: usable.cluster.isEmpty ? elsewhere(usable.local) : .forward(usable.cluster)
        case .local:
            if !usable.local.isEmpty {
                .forward(usable.local)
            } else {
                usable.cluster.isEmpty ? .reject : .drop
            }
        }
    }

    /// C empty means that no endpoint is ready or serving at all, so L is empty too and nothing is left.
    private static func elsewhere(_ local: EndpointList) -> Verdict { local.isEmpty ? .reject : .drop }

    /// nil when every client may come in (7.9).
    private static func allowedSources(
        of service: Service, vip: IPAddress, _ options: RoutingOptions
    ) -> [CIDR]? {
        let ranges = service.loadBalancerSourceRanges.filter { $0.family == vip.family }
        guard !service.loadBalancerSourceRanges.isEmpty, !ranges.contains(where: { $0.prefixLength == 0 }) else {
            return nil
        }
        // The node may reach its own VIP: the kernel then uses the VIP as source too.
        guard options.nodeAddresses.contains(where: { node in ranges.contains { $0.contains(node) } }) else {
            return ranges
        }
        return ranges + [CIDR(only: vip)]
    }
}
