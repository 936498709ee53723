#if os(Linux)
import Glibc
import NetTypes
import Synchronization

@testable import SocketProxy

/// A blocking socket of either family, closed with its owner; no wait is longer than ten seconds.
final class LoopbackSocket: Sendable {
    let descriptor: Int32
    let isIPv6: Bool

    init(_ proto: TransportProtocol, isIPv6: Bool = false) {
        let type = proto == .udp ? SOCK_DGRAM : SOCK_STREAM
        self.isIPv6 = isIPv6
        descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
        setLimit()
    }

    private init(accepted descriptor: Int32, isIPv6: Bool) {
        self.descriptor = descriptor
        self.isIPv6 = isIPv6
        setLimit()
    }

    private func setLimit() {
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// 0, or the error number; so are all results here.
    func connect(to endpoint: SocketEndpoint) -> Int32 {
        RawAddress(endpoint, isIPv6: isIPv6).withPointer { Glibc.connect(descriptor, $0, $1) } == 0 ? 0 : errno
    }

    func bind(to endpoint: SocketEndpoint) -> Int32 {
        RawAddress(endpoint, isIPv6: isIPv6).withPointer { Glibc.bind(descriptor, $0, $1) } == 0 ? 0 : errno
    }

    func listen() { Glibc.listen(descriptor, 1024) }

    func accept() -> LoopbackSocket? {
        let accepted = Glibc.accept(descriptor, nil, nil)
        return accepted < 0 ? nil : LoopbackSocket(accepted: accepted, isIPv6: isIPv6)
    }

    func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    @discardableResult
    func send(_ text: String, to endpoint: SocketEndpoint? = nil) -> Int32 {
        let bytes = Array(text.utf8)
        let count =
            if let endpoint {
                RawAddress(endpoint, isIPv6: isIPv6).withPointer {
                    sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, $1)
                }
            } else {
                Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            }
        return count < 0 ? errno : 0
    }

    /// What came and from where; "" at the end, nil after an error.
    func receive() -> (text: String, from: SocketEndpoint?)? {
        var buffer = [UInt8](repeating: 0, count: 2048)
        var source = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &source) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
            }
        }
        return count < 0 ? nil : (String(decoding: buffer.prefix(count), as: UTF8.self), Self.endpoint(source))
    }

    var local: SocketEndpoint? { name(getsockname) }
    var peer: SocketEndpoint? { name(getpeername) }

    private func name(
        _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> SocketEndpoint? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(descriptor, $0, &length) }
        }
        return code == 0 ? Self.endpoint(address) : nil
    }

    private static func endpoint(_ address: sockaddr_storage) -> SocketEndpoint? {
        withUnsafeBytes(of: address) { bytes in
            let port = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            func word(_ offset: Int) -> UInt64 {
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
            switch Int32(address.ss_family) {
            case AF_INET: return SocketEndpoint(address: .v4(IPv4Address(bits: UInt32(word(4) >> 32))), port: port)
            case AF_INET6: return SocketEndpoint(address: .v6(IPv6Address(high: word(8), low: word(16))), port: port)
            default: return nil
            }
        }
    }
}

/// A server with a thread of its own, until it is released: it tells each client its name.
final class NamedServer: Sendable {
    let endpoint: SocketEndpoint
    private let socket: LoopbackSocket

    init(_ name: String, _ proto: TransportProtocol = .tcp, isIPv6: Bool = false) {
        let socket = LoopbackSocket(proto, isIPv6: isIPv6)
        self.socket = socket
        let host: IPAddress =
            isIPv6 ? .v6(IPv6Address(high: 0, low: 1)) : .v4(IPv4Address(bits: 0x7FC9_0201))
        _ = socket.bind(to: SocketEndpoint(address: host, port: 0))
        if proto == .tcp { socket.listen() }
        endpoint = socket.local ?? SocketEndpoint(address: host, port: 0)
        let thread = Thread {
            while true {
                if proto == .tcp {
                    guard let client = socket.accept() else {
                        if errno == EAGAIN { continue }
                        return
                    }
                    client.send(name)
                } else {
                    guard let (text, from) = socket.receive() else {
                        if errno == EAGAIN { continue }
                        return
                    }
                    guard let from, from.port != 0 else { return }
                    socket.send("\(name) \(text)", to: from)
                }
            }
        }
        thread.start()
    }

    deinit { socket.end() }
}

/// Runs its body on a thread that nobody joins.
private final class Thread {
    private let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() {
        var thread = pthread_t()
        let own = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Thread>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, own.toOpaque())
        if code == 0 { pthread_detach(thread) } else { own.release() }
    }
}
#endif
