import NetTypes

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// An IP address and port in the form that system calls take.
struct SocketAddress {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    /// Room for an answer of the kernel's.
    init() {}

    init(_ endpoint: SocketEndpoint) {
        switch endpoint.address {
        case .v4(let address):
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) { bytes in
                var plain = sockaddr_in()
                plain.sin_family = sa_family_t(AF_INET)
                plain.sin_port = endpoint.port.bigEndian
                plain.sin_addr.s_addr = address.bits.bigEndian
                bytes.storeBytes(of: plain, as: sockaddr_in.self)
            }
        case .v6(let address):
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &storage) { bytes in
                var plain = sockaddr_in6()
                plain.sin6_family = sa_family_t(AF_INET6)
                plain.sin6_port = endpoint.port.bigEndian
                withUnsafeMutableBytes(of: &plain.sin6_addr) { octets in
                    octets.storeBytes(of: address.high.bigEndian, toByteOffset: 0, as: UInt64.self)
                    octets.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
                }
                bytes.storeBytes(of: plain, as: sockaddr_in6.self)
            }
        }
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// nil for a family that is not IP.
    ///
    /// An IPv4 client of an IPv6 socket is told as IPv4.
    var endpoint: SocketEndpoint? {
        withUnsafeBytes(of: storage) { bytes in
            switch family {
            case AF_INET:
                let plain = bytes.loadUnaligned(as: sockaddr_in.self)
                return SocketEndpoint(
                    address: .v4(IPv4Address(bits: UInt32(bigEndian: plain.sin_addr.s_addr))),
                    port: UInt16(bigEndian: plain.sin_port))
            case AF_INET6:
                let port = bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
                let address = IPv6Address(
                    high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
                return SocketEndpoint(
                    address: address.mappedIPv4.map(IPAddress.v4) ?? .v6(address), port: UInt16(bigEndian: port))
            default: return nil
            }
        }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafeBytes(of: storage) { bytes in
            guard let base = bytes.baseAddress else { preconditionFailure("a struct has an address") }
            return body(base.assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    mutating func withMutablePointer<Result>(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &length) { length in
            withUnsafeMutableBytes(of: &storage) { bytes in
                guard let base = bytes.baseAddress else { preconditionFailure("a struct has an address") }
                return body(base.assumingMemoryBound(to: sockaddr.self), length)
            }
        }
    }
}
