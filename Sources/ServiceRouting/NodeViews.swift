import ClusterModel
import NetTypes

/// The endpoints of one Service port as each node of this machine sees them.
struct NodeViews {
    private let first: UsableEndpoints
    private let rest: [(node: RoutingNode, usable: UsableEndpoints)]

    init(slices: [EndpointSlice], port: ServicePort, family: IPFamily, options: RoutingOptions) {
        first = UsableEndpoints(slices: slices, port: port, family: family, options: options)
        rest = options.otherNodes.map { node in
            let own = options.options(of: node)
            return (node, UsableEndpoints(slices: slices, port: port, family: family, options: own))
        }
    }

    /// What the node sees that serves a frontend.
    ///
    /// A node port's address tells the node. An address of the whole cluster is served by the first node; with Local
    /// policy by the first that has endpoints, as a load balancer sends traffic only to those.
    func usable(at address: IPAddress, _ kind: FrontendKind, _ policy: TrafficPolicy) -> UsableEndpoints {
        switch kind {
        case .clusterIP: return first
        case .nodePort: return rest.first { $0.node.addresses.contains(address) }?.usable ?? first
        case .externalIP, .loadBalancer, .localhost:
            guard policy == .local, first.local.isEmpty else { return first }
            return rest.first { !$0.usable.local.isEmpty }?.usable ?? first
        }
    }

    /// What clients on the nodes besides the first one get.
    func others(_ verdict: (UsableEndpoints) -> Verdict) -> [NodeVerdict] {
        rest.map { NodeVerdict(sources: $0.node.sources, verdict: verdict($0.usable)) }
    }
}
