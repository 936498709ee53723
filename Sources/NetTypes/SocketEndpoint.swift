/// The transports that a Service port can name; raw values are Kubernetes's.
package enum TransportProtocol: String, Hashable, Comparable, Sendable, CaseIterable {
    case sctp = "SCTP"
    case tcp = "TCP"
    case udp = "UDP"

    package static func < (left: TransportProtocol, right: TransportProtocol) -> Bool { left.rawValue < right.rawValue }
}

/// An address and a port.
package struct SocketEndpoint: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var address: IPAddress
    package var port: UInt16

    package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `10.0.0.1:80` or `[fd00::1]:80`.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            String(port) == text[text.index(after: colon)...]
        else { return nil }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(host), (address.family == .v6) == isBracketed else { return nil }
        self.init(address: address, port: port)
    }

    package var description: String {
        address.family == .v6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    package static func < (left: SocketEndpoint, right: SocketEndpoint) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }
}
