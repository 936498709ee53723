import NetTypes

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// An IP address and port in the form that system calls take: sockaddr_in or sockaddr_in6, all in network byte order.
///
///     0        2      4           8          24 octets
///     │ family │ port │ IPv4      │
///     │ family │ port │ flow info │ IPv6     │ scope
struct SocketAddress {
    private static let portOffset = 2
    private static let ipv4Offset = 4
    private static let ipv6Offset = 8

    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    /// Room for an answer of the kernel's.
    init() {}

    init(_ endpoint: SocketEndpoint) {
        switch endpoint.address {
        case .v4(let address):
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            storage.ss_family = sa_family_t(AF_INET)
            store(address.bits, at: Self.ipv4Offset)
        case .v6(let address):
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            storage.ss_family = sa_family_t(AF_INET6)
            store(address.high, at: Self.ipv6Offset)
            store(address.low, at: Self.ipv6Offset + 8)
        }
        store(endpoint.port, at: Self.portOffset)
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// nil for a family that is not IP.
    ///
    /// An IPv4 client of an IPv6 socket is told as IPv4.
    var endpoint: SocketEndpoint? {
        let port = load(UInt16.self, at: Self.portOffset)
        switch family {
        case AF_INET:
            let address = IPv4Address(bits: load(UInt32.self, at: Self.ipv4Offset))
            return SocketEndpoint(address: .v4(address), port: port)
        case AF_INET6:
            let address = IPv6Address(
                high: load(UInt64.self, at: Self.ipv6Offset), low: load(UInt64.self, at: Self.ipv6Offset + 8))
            return SocketEndpoint(address: address.mappedIPv4.map(IPAddress.v4) ?? .v6(address), port: port)
        default: return nil
        }
    }

    private mutating func store<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number, at offset: Int) {
        withUnsafeMutableBytes(of: &storage) {
            $0.storeBytes(of: number.bigEndian, toByteOffset: offset, as: Number.self)
        }
    }

    private func load<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type, at offset: Int) -> Number {
        withUnsafeBytes(of: storage) { Number(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: type)) }
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
