#if os(Linux)
import CSocketProxy
import NetTypes
import ServiceRouting

// The structs of `layout.h` made from our types, and back.

extension sp_address {
    init(_ address: IPAddress) {
        var octets = address.octets
        if octets.count == 4 { octets = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + octets }
        self.init()
        withUnsafeMutableBytes(of: &self) { $0.copyBytes(from: octets) }
    }

    /// IPv4 in its IPv6 clothes comes out as IPv4.
    var address: IPAddress {
        let octets = withUnsafeBytes(of: self) { Array($0) }
        func half(_ start: Int) -> UInt64 { octets[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        let address = IPv6Address(high: half(0), low: half(8))
        return address.mappedIPv4.map(IPAddress.v4) ?? .v6(address)
    }
}

extension sp_frontend {
    init(_ frontend: Frontend) {
        self.init(
            address: sp_address(frontend.address.address), port: frontend.address.port.bigEndian,
            protocol: frontend.proto == .udp ? 17 : 6, pad: 0)
    }

    var frontend: Frontend {
        Frontend(
            SocketEndpoint(address: address.address, port: UInt16(bigEndian: port)), `protocol` == 17 ? .udp : .tcp)
    }
}

extension sp_endpoint {
    init(_ endpoint: SocketEndpoint) {
        self.init(address: sp_address(endpoint.address), port: endpoint.port.bigEndian, pad: 0)
    }
}

extension sp_route {
    init(_ record: RouteRecord) {
        self.init(
            list: record.list, count: record.count, service_port: record.servicePort,
            affinity_seconds: record.affinitySeconds, reason: record.reason.rawValue)
    }
}
#endif
