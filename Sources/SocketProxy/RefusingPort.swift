#if os(Linux)
import CSocketProxy
import Glibc
import NetTypes

/// A datagram port of this machine at which nobody listens and which nobody can take: the kernel answers each datagram
/// with "port unreachable" (7.5).
///
/// The socket that holds the port is connected to itself, so that no datagram of others reaches it.
final class RefusingPort: Sendable {
    let endpoint: SocketEndpoint
    private let descriptor: Int32

    /// nil when this machine has no address of the family.
    init?(_ family: IPFamily) {
        let host: IPAddress = family == .v4 ? .v4(IPv4Address(bits: 0x7F00_0001)) : .v6(IPv6Address(high: 0, low: 1))
        let domain = family == .v4 ? AF_INET : AF_INET6
        let descriptor = socket(domain, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = RawAddress(SocketEndpoint(address: host, port: 0), isIPv6: family == .v6)
        let isBound = address.withPointer { bind(descriptor, $0, $1) } == 0
        guard isBound, let own = RawAddress(ofSocket: descriptor) else {
            close(descriptor)
            return nil
        }
        endpoint = own.endpoint
        address = own
        guard address.withPointer({ connect(descriptor, $0, $1) }) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}

/// An address as system calls take it.
struct RawAddress {
    private var storage = sockaddr_in6()
    private var length: socklen_t

    /// - Parameter isIPv6: whether the socket is; an IPv4 address is then written as ::ffff:a.b.c.d.
    init(_ endpoint: SocketEndpoint, isIPv6: Bool) {
        length = socklen_t(isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        var octets = endpoint.address.octets
        if isIPv6, octets.count == 4 { octets = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + octets }
        withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.storeBytes(of: sa_family_t(isIPv6 ? AF_INET6 : AF_INET), as: sa_family_t.self)
            bytes.storeBytes(of: endpoint.port.bigEndian, toByteOffset: 2, as: UInt16.self)
            for (index, octet) in octets.enumerated() { bytes[(isIPv6 ? 8 : 4) + index] = octet }
        }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// Where a socket is bound; nil when the kernel does not say.
    init?(ofSocket descriptor: Int32) {
        length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard code == 0 else { return nil }
    }

    /// An IPv4 address in its IPv6 clothes comes out as IPv4.
    var endpoint: SocketEndpoint {
        let address = withUnsafeBytes(of: storage) { bytes -> IPAddress in
            guard storage.sin6_family == sa_family_t(AF_INET6) else {
                return .v4(IPv4Address(bits: UInt32(bigEndian: bytes.load(fromByteOffset: 4, as: UInt32.self))))
            }
            return bytes.loadUnaligned(fromByteOffset: 8, as: sp_address.self).address
        }
        return SocketEndpoint(address: address, port: UInt16(bigEndian: storage.sin6_port))
    }
}
#endif
