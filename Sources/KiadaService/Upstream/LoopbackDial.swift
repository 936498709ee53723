import Glibc
import NIOCore
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

    /// - Parameter address: the same in NIO's form.
    static func dial(_ endpoint: SocketEndpoint, at address: SocketAddress) -> Outcome {
        guard endpoint.address.isLoopback else { return .unknown }
        let descriptor = socket(
            CInt(address.protocol.rawValue), CInt(SOCK_STREAM.rawValue) | nonBlockingCloseOnExec, 0)
        guard descriptor >= 0 else { return .refused(errno) }
        // The first call begins, the second one tells what came of it.
        for _ in 0..<2 {
            if address.withSockAddr({ connect(descriptor, $0, socklen_t($1)) }) == 0 { return .connected(descriptor) }
            guard errno == EINPROGRESS || errno == EALREADY else {
                let code = errno
                close(descriptor)
                return .refused(code)
            }
        }
        close(descriptor)
        return .unknown
    }

    private static let nonBlockingCloseOnExec = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
}
