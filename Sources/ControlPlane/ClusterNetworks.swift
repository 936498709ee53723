package import NetTypes

/// The address ranges of a cluster.
package struct ClusterNetworks: Hashable, Sendable {
    /// One block, or one of each family; the first one's family is the default family (semantics 9.1).
    package var serviceRanges: [CIDR]
    package var nodePorts: ClosedRange<UInt16>
    /// Where LoadBalancer Services get their addresses; nil for none.
    package var loadBalancerRange: CIDR?
    /// Where pods live: Endpoints may point there even where it is loopback.
    package var podRanges: [CIDR]

    package init(
        serviceRanges: [CIDR], nodePorts: ClosedRange<UInt16> = 30000...32767, loadBalancerRange: CIDR? = nil,
        podRanges: [CIDR] = []
    ) {
        self.podRanges = podRanges
        self.serviceRanges = serviceRanges
        self.nodePorts = nodePorts
        self.loadBalancerRange = loadBalancerRange
    }

    /// The families that Services can have, the default one first.
    package var families: [IPFamily] { serviceRanges.map(\.family) }
}
