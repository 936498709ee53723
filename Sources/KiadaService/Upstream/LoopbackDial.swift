import Glibc
import NetTypes

/// Connects to an address of this machine without waiting.
///
/// Over loopback the other side has answered when the system call returns; to learn that from the event loop instead takes a
/// round of it for each connection (docs/benchmarks.md).
enum LoopbackDial {
    enum Outcome {
        /// A connected socket that does not block; the caller's to close.
        case connected(CInt)
        /// The number of the error.
        case refused(CInt)
        /// Nobody has answered yet, or the address is not of the loopback kind: dial as anywhere else.
        case unknown
    }

    static func dial(_ endpoint: SocketEndpoint) -> Outcome {
        guard endpoint.address.isLoopback else { return .unknown }
        let (family, kind) = (endpoint.address.family, CInt(SOCK_STREAM.rawValue) | nonBlockingCloseOnExec)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { return .refused(errno) }
        var on: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        // The first call begins, the second one tells what came of it.
        for _ in 0..<2 {
            if connect(descriptor, to: endpoint) == 0 { return .connected(descriptor) }
            guard errno == EINPROGRESS || errno == EALREADY else {
                let code = errno
                close(descriptor)
                return .refused(code)
            }
        }
        close(descriptor)
        return .unknown
    }

    private static func connect(_ descriptor: CInt, to endpoint: SocketEndpoint) -> CInt {
        switch endpoint.address {
        case .v4(let address):
            var plain = sockaddr_in()
            plain.sin_family = sa_family_t(AF_INET)
            plain.sin_port = endpoint.port.bigEndian
            plain.sin_addr.s_addr = address.bits.bigEndian
            return connect(descriptor, &plain)
        case .v6(let address):
            var plain = sockaddr_in6()
            plain.sin6_family = sa_family_t(AF_INET6)
            plain.sin6_port = endpoint.port.bigEndian
            withUnsafeMutableBytes(of: &plain.sin6_addr) { octets in
                octets.storeBytes(of: address.high.bigEndian, as: UInt64.self)
                octets.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return connect(descriptor, &plain)
        }
    }

    private static func connect<Address>(_ descriptor: CInt, _ address: inout Address) -> CInt {
        withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    private static let nonBlockingCloseOnExec = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
}

extension IPAddress {
    fileprivate var family: CInt {
        switch self {
        case .v4: AF_INET
        case .v6: AF_INET6
        }
    }
}
