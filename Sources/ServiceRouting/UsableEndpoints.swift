import ClusterModel
import NetTypes

/// The endpoints of one Service port in one family, sorted by what may be done with them (7.4).
struct UsableEndpoints {
    /// For Cluster policy: the ready ones that topology prefers, else those that terminate but serve.
    let cluster: EndpointList
    /// For Local policy: the same among this node's endpoints, computed on its own and without topology.
    let local: EndpointList
    /// Whatever serves, for the fate of UDP flows (7.11).
    let serving: [SocketEndpoint]

    init(slices: [EndpointSlice], port: ServicePort, family: IPFamily, options: RoutingOptions) {
        var candidates: [SocketEndpoint: Candidate] = [:]
        for slice in slices where slice.family == family {
            for slicePort in slice.ports where slicePort.name == port.name && slicePort.proto == port.proto {
                for endpoint in slice.endpoints {
                    // Only the first address of an endpoint is used, as kube-proxy does.
                    guard let address = endpoint.addresses.first, address.family == family else { continue }
                    let candidate = Candidate(
                        address: SocketEndpoint(address: address, port: slicePort.port), source: endpoint)
                    // An endpoint seen in two slices while it moves between them: the ready sighting counts.
                    if let known = candidates[candidate.address], known.source.isReady { continue }
                    candidates[candidate.address] = candidate
                }
            }
        }
        let all = candidates.values.sorted { $0.address < $1.address }
        let here = all.filter { $0.source.nodeName == options.nodeName }
        let ready = all.filter(\.source.isReady)
        cluster = Self.list(ready: Self.preferred(of: ready, options), all: all)
        local = Self.list(ready: here.filter(\.source.isReady), all: here)
        serving = all.filter { $0.source.isServing || $0.source.isReady }.map(\.address)
    }

    /// An endpoint with what its slice says of it.
    private struct Candidate {
        let address: SocketEndpoint
        let source: EndpointSlice.Endpoint

        var routed: RoutedEndpoint { RoutedEndpoint(address: address, podName: source.targetName) }
    }

    private static func list(ready: [Candidate], all: [Candidate]) -> EndpointList {
        if !ready.isEmpty { return EndpointList(ready.map(\.routed)) }
        let leaving = all.filter { $0.source.isServing && $0.source.isTerminating }
        return EndpointList(leaving.map(\.routed), isTerminatingFallback: !leaving.isEmpty)
    }

    /// Hints count only when every ready endpoint has one and one of them names us.
    private static func preferred(of ready: [Candidate], _ options: RoutingOptions) -> [Candidate] {
        if ready.allSatisfy({ !$0.source.nodeHints.isEmpty }) {
            let near = ready.filter { $0.source.nodeHints.contains(options.nodeName) }
            if !near.isEmpty { return near }
        }
        if let zone = options.zone, ready.allSatisfy({ !$0.source.zoneHints.isEmpty }) {
            let near = ready.filter { $0.source.zoneHints.contains(zone) }
            if !near.isEmpty { return near }
        }
        return ready
    }
}
