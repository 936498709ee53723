package import NetTypes

/// A node that is played on this machine: there is one data plane, but pods, zones and traffic policies know several nodes.
package struct PlayedNode: Hashable, Sendable {
    /// The most that ``nodes(_:name:address:podRange:)`` makes.
    package static let most = 16

    package let name: String
    package let address: IPAddress
    /// nil where there is only one node.
    package let zone: String?
    /// Where its pods get their addresses: nodes share a range in equal parts.
    package let podRange: CIDR

    /// `count` nodes: the first has `name` and `address`, the others `name-2`, `name-3` and the addresses that follow.
    ///
    /// Zones are `zone-a`, `zone-b`, `zone-c`, in turns.
    package static func nodes(_ count: Int, name: String, address: IPAddress, podRange: CIDR) -> [PlayedNode] {
        guard count > 1, case .v4(let first) = address, case .v4(let network) = podRange.first else {
            return [PlayedNode(name: name, address: address, zone: nil, podRange: podRange)]
        }
        var bits = 0
        while 1 << bits < count { bits += 1 }
        let length = min(podRange.prefixLength + bits, 29)
        return (0..<count).map { index in
            let start = IPv4Address(bits: network.bits + UInt32(index) << UInt32(32 - length))
            return PlayedNode(
                name: index == 0 ? name : "\(name)-\(index + 1)",
                address: .v4(IPv4Address(bits: first.bits + UInt32(index))),
                zone: ["zone-a", "zone-b", "zone-c"][index % 3],
                podRange: CIDR(containing: .v4(start), prefixLength: length))
        }
    }
}
