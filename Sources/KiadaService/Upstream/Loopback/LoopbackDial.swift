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

    /// - Parameters:
    ///   - address: the same in NIO's form.
    ///   - request: what is sent at once; so little that a new connection takes it as a whole.
    static func dial(
        _ endpoint: SocketEndpoint, at address: SocketAddress, sending request: ByteBuffer? = nil
    ) -> Outcome {
        guard endpoint.address.isLoopback else { return .unknown }
        let descriptor = socket(
            CInt(address.protocol.rawValue), CInt(SOCK_STREAM.rawValue) | nonBlockingCloseOnExec, 0)
        guard descriptor >= 0 else { return .refused(errno) }
        func connected() -> Bool {
            address.withSockAddr { connect(descriptor, $0, socklen_t($1)) == 0 }
        }
        // The first call begins, the second one tells what came of it; so does to send something.
        let isOpen = connected() || isUnderWay
        if isOpen, let request, send(request, over: descriptor) { return .connected(descriptor) }
        if isOpen, request == nil, connected() { return .connected(descriptor) }
        defer { close(descriptor) }
        return isUnderWay ? .unknown : .refused(errno)
    }

    /// Whether the socket took the request as a whole, at once; else `errno` says why, unless it took a part.
    static func send(_ request: ByteBuffer, over descriptor: CInt) -> Bool {
        request.withUnsafeReadableBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) == $0.count
        }
    }

    /// Whether the last call failed only because nobody has answered yet.
    private static var isUnderWay: Bool { errno == EINPROGRESS || errno == EALREADY || errno == EAGAIN }

    private static let nonBlockingCloseOnExec = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
}
