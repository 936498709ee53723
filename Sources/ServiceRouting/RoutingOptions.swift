package import NetTypes

/// What the routing of a node depends on besides Services and EndpointSlices.
package struct RoutingOptions: Hashable, Sendable {
    /// `--node-name`: endpoints with this nodeName are local.
    package var nodeName: String
    /// Compared with the zone hints of endpoints; nil when the node has no zone.
    package var zone: String?
    /// The node's own addresses.
    package var nodeAddresses: [IPAddress]
    /// Where node ports are served (7.8): none means no node ports.
    package var nodePortAddresses: [IPAddress]
    /// Where pods get their addresses; with the node's addresses they are the clients "from inside" (7.5).
    package var podRanges: [CIDR]
    /// Where each LoadBalancer port P is published as well, at P, or at 8000 + P below 1024; nil for nowhere.
    package var publishAddress: IPAddress?
    /// More nodes that are played on this machine, beside the one that the fields above describe.
    package var otherNodes: [RoutingNode] = []
    /// Where somebody else listens already, such as the name server at its cluster IP: no frontend there.
    package var exemptAddresses: Set<IPAddress> = []

    package init(
        nodeName: String, zone: String? = nil, nodeAddresses: [IPAddress] = [], nodePortAddresses: [IPAddress] = [],
        podRanges: [CIDR] = [], publishAddress: IPAddress? = nil
    ) {
        self.nodeName = nodeName
        self.zone = zone
        self.nodeAddresses = nodeAddresses
        self.nodePortAddresses = nodePortAddresses
        self.podRanges = podRanges
        self.publishAddress = publishAddress
    }

    /// Blocks of the clients that count as pods or as the node itself.
    ///
    /// Loopback is always the node: a program there connects from 127.0.0.1, whatever the node's addresses are.
    package var insideSources: [CIDR] {
        podRanges + (nodeAddresses + otherNodes.flatMap(\.addresses)).map(CIDR.init(only:)) + Self.loopback
    }

    private static let loopback = ["127.0.0.0/8", "::1/128"].compactMap { CIDR($0) }

    /// The same as seen from another node.
    func options(of node: RoutingNode) -> RoutingOptions {
        var options = self
        options.nodeName = node.name
        options.zone = node.zone
        return options
    }

    /// Where a load balancer's port is published on this machine: 80 at 8080, 443 at 8443, 3000 at 3000.
    package static func publishedPort(for port: UInt16) -> UInt16 { port < 1024 ? port + 8000 : port }
}

/// A node that is played on this machine beside the first one.
package struct RoutingNode: Hashable, Sendable {
    package let name: String
    package let zone: String?
    /// The node's own addresses; its node ports are served there.
    package let addresses: [IPAddress]
    /// Where its pods get their addresses: clients from there are on this node.
    package let podRanges: [CIDR]

    package init(name: String, zone: String?, addresses: [IPAddress], podRanges: [CIDR]) {
        self.name = name
        self.zone = zone
        self.addresses = addresses
        self.podRanges = podRanges
    }

    /// Blocks of the clients that are this node or its pods.
    var sources: [CIDR] { podRanges + addresses.map(CIDR.init(only:)) }
}

extension CIDR {
    /// The block of one address.
    init(only address: IPAddress) {
        self.init(containing: address, prefixLength: address.family == .v4 ? 32 : 128)
    }
}
