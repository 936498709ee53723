#if os(Linux)
import Glibc
import LocalPorts
import NetTypes
import ServiceRouting

/// A port kept from other programs of this machine while the kernel sends its connections elsewhere.
///
/// Only frontends on addresses that are not the Services' own need that: node ports and published ports. Without it a rule
/// would take connections away from a server that listens there already. Nothing ever arrives at the socket.
struct ReservedPort: ~Copyable {
    private let descriptor: Int32

    static func isNeeded(for route: FrontendRoute) -> Bool { route.kind.isOfThisMachine }

    /// - Throws: why the frontend cannot be had.
    init(_ frontend: Frontend) throws(Obstacle) {
        let isIPv4 = frontend.address.address.family == .v4
        let type = frontend.proto == .tcp ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
        let socket = Glibc.socket(isIPv4 ? AF_INET : AF_INET6, Int32(type | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw Obstacle(cause: .other(String(cString: strerror(errno)))) }
        var one: Int32 = 1
        if !isIPv4 { setsockopt(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, socklen_t(MemoryLayout<Int32>.size)) }
        let port = frontend.address.port
        let octets = frontend.address.address.octets
        // sockaddr_in and sockaddr_in6, octet by octet.
        var address: [UInt8] = withUnsafeBytes(of: UInt16(isIPv4 ? AF_INET : AF_INET6)) { Array($0) }
        address += [UInt8(port >> 8), UInt8(port & 255)]
        address += isIPv4 ? octets + [UInt8](repeating: 0, count: 8) : [0, 0, 0, 0] + octets + [0, 0, 0, 0]
        let isBound = address.withUnsafeBytes { bytes in
            bytes.baseAddress.map {
                bind(socket, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) == 0
            } ?? false
        }
        guard isBound else {
            let code = errno
            close(socket)
            switch code {
            case EADDRINUSE: throw Obstacle(cause: .inUse(by: PortHolder.name(of: frontend)))
            case EACCES, EPERM: throw Obstacle(cause: .notPermitted)
            case EADDRNOTAVAIL: throw Obstacle(cause: .noSuchAddress)
            default: throw Obstacle(cause: .other(String(cString: strerror(code))))
            }
        }
        descriptor = socket
    }

    /// Why a port cannot be had.
    struct Obstacle: Error {
        let cause: FrontendProblem.Cause
    }

    deinit { close(descriptor) }
}
#endif
