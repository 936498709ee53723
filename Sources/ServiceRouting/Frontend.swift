package import NetTypes

/// An address and port on which a plane serves one Service port.
package struct Frontend: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let address: SocketEndpoint
    package let proto: TransportProtocol

    package init(_ address: SocketEndpoint, _ proto: TransportProtocol) {
        self.address = address
        self.proto = proto
    }

    package var description: String { "\(address)/\(proto.rawValue)" }

    package static func < (left: Frontend, right: Frontend) -> Bool {
        (left.address, left.proto) < (right.address, right.proto)
    }
}

/// Why a Service is served at a frontend (7.2).
package enum FrontendKind: String, Hashable, Sendable, CaseIterable {
    case clusterIP
    case externalIP
    case loadBalancer
    case nodePort
    /// A load balancer's port on the address of this machine that needs no set-up.
    case localhost

    /// Ruled by externalTrafficPolicy, not by internalTrafficPolicy (7.5).
    package var isExternal: Bool { self != .clusterIP }

    /// On an address that the machine has anyway, where another program may listen at the port.
    package var isOfThisMachine: Bool { self == .nodePort || self == .localhost }
}
