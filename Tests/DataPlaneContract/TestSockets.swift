#if os(Linux)
package import Glibc
package import NetTypes

/// A blocking socket of a test, closed with its owner; no wait is longer than twenty seconds.
package final class TestSocket: Sendable {
    package let descriptor: Int32

    package init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    package convenience init(_ type: __socket_type, _ family: IPFamily = .v4) {
        self.init(socket(family == .v4 ? AF_INET : AF_INET6, Int32(type.rawValue), 0))
    }

    /// sockaddr_in or sockaddr_in6, octet by octet.
    private static func plain(_ endpoint: SocketEndpoint) -> [UInt8] {
        let octets = endpoint.address.octets
        let isIPv4 = octets.count == 4
        let family: [UInt8] = withUnsafeBytes(of: UInt16(isIPv4 ? AF_INET : AF_INET6)) { Array($0) }
        let port = [UInt8(endpoint.port >> 8), UInt8(endpoint.port & 255)]
        return family + port
            + (isIPv4 ? octets + [UInt8](repeating: 0, count: 8) : [0, 0, 0, 0] + octets + [0, 0, 0, 0])
    }

    /// 0, or the error number.
    package func connect(to endpoint: SocketEndpoint) -> Int32 { call(endpoint, Glibc.connect) }

    /// 0, or the error number.
    ///
    /// - Parameter besidesEndedConnections: connections whose end is not long ago do not count; listeners do.
    package func bind(to endpoint: SocketEndpoint, besidesEndedConnections: Bool = false) -> Int32 {
        var one: Int32 = besidesEndedConnections ? 1 : 0
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        return call(endpoint, Glibc.bind)
    }

    private func call(
        _ endpoint: SocketEndpoint, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        Self.plain(endpoint).withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return EINVAL }
            return body(descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) == 0
                ? 0 : errno
        }
    }

    package var localPort: UInt16 {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        withUnsafeMutableBytes(of: &address) { bytes in
            guard let base = bytes.baseAddress else { return }
            getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &length)
        }
        // The port is at the same place in both families.
        return UInt16(bigEndian: address.sin6_port)
    }

    /// Gives up waiting after `milliseconds`, instead of twenty seconds.
    package func limitWaits(milliseconds: Int) {
        var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    @discardableResult
    package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult
    package func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                raw.baseAddress.map { send(descriptor, $0 + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) } ?? 0
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    package func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// nil after an error or twenty silent seconds; empty at the end.
    package func read(_ limit: Int = 65_536) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    /// Looks without waiting: 0 when there are bytes or the end, else the error; EAGAIN for silence.
    package func peek() -> Int32 {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) < 0 ? errno : 0
    }

    /// Everything until the end; nil after an error.
    package func readAll() -> [UInt8]? {
        var all: [UInt8] = []
        while true {
            guard let part = read() else { return nil }
            if part.isEmpty { return all }
            all += part
        }
    }
}

extension TestSocket {
    /// Has the release send a reset.
    package func endAbruptly() {
        var atOnce = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
    }
}

/// A server whose queue is full: dials to it are neither accepted nor refused.
package final class FullServer: Sendable {
    package let endpoint: SocketEndpoint
    private let sockets: [TestSocket]

    /// - Throws: when the system takes one connection after another all the same.
    package init() throws {
        let listener = TestSocket(SOCK_STREAM)
        _ = listener.bind(to: SocketEndpoint(address: PlaneUnderTest.endpointHost, port: 0))
        listen(listener.descriptor, 0)
        endpoint = SocketEndpoint(address: PlaneUnderTest.endpointHost, port: listener.localPort)
        var sockets = [listener]
        for _ in 0..<10 {
            let client = TestSocket(SOCK_STREAM)
            client.limitWaits(milliseconds: 200)
            guard client.connect(to: endpoint) == 0 else {
                self.sockets = sockets
                return
            }
            sockets.append(client)
        }
        throw QueueNeverFull()
    }

    private struct QueueNeverFull: Error {}
}

/// A server on an address of its own, with one thread; it ends when it is released.
package final class TestServer: Sendable {
    package enum Behaviour: Sendable {
        /// Says its name and ends.
        case greet(String)
        /// Reads to the end, then sends all of it back and ends.
        case echo
        /// Sends back what it reads as it reads it.
        case converse
        /// Reads a little, says its name, and ends with the rest unread, which makes the kernel reset the connection.
        case answerUnread(String)
        /// Answers each datagram with its name.
        case datagrams(String)
    }

    package let endpoint: SocketEndpoint
    private let listener: TestSocket

    package init(_ behaviour: Behaviour, on host: IPAddress = PlaneUnderTest.endpointHost) {
        let isUDP = if case .datagrams = behaviour { true } else { false }
        let listener = TestSocket(isUDP ? SOCK_DGRAM : SOCK_STREAM, host.family)
        _ = listener.bind(to: SocketEndpoint(address: host, port: 0))
        if !isUDP { listen(listener.descriptor, 1024) }
        endpoint = SocketEndpoint(address: host, port: listener.localPort)
        self.listener = listener
        run { isUDP ? Self.answer(listener.descriptor, behaviour) : Self.serve(listener.descriptor, behaviour) }
    }

    deinit { shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

    private static func serve(_ listener: Int32, _ behaviour: Behaviour) {
        while true {
            let descriptor = accept(listener, nil, nil)
            if descriptor < 0, errno == EAGAIN { continue }
            guard descriptor >= 0 else { return }
            let client = TestSocket(descriptor)
            switch behaviour {
            case .greet(let name): client.write(name)
            case .answerUnread(let name):
                _ = client.read(1)
                client.write(name)
            // Of its own thread, so that many clients can be served at once.
            case .echo: run { if let all = client.readAll() { client.write(all) } }
            case .converse:
                run {
                    while let part = client.read(), !part.isEmpty { client.write(part) }
                }
            case .datagrams: return
            }
        }
    }

    private static func answer(_ socket: Int32, _ behaviour: Behaviour) {
        guard case .datagrams(let name) = behaviour else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var source = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = withUnsafeMutableBytes(of: &source) { bytes in
                bytes.baseAddress.map {
                    recvfrom(socket, &buffer, buffer.count, 0, $0.assumingMemoryBound(to: sockaddr.self), &length)
                } ?? -1
            }
            if count < 0, errno == EAGAIN { continue }
            guard count > 0 else { return }
            let answer = Array("\(name) \(count)".utf8)
            withUnsafeBytes(of: &source) { bytes in
                guard let base = bytes.baseAddress else { return }
                _ = sendto(socket, answer, answer.count, 0, base.assumingMemoryBound(to: sockaddr.self), length)
            }
        }
    }
}

/// Runs `body` on a thread of its own.
package func run(_ body: @escaping @Sendable () -> Void) {
    let start = Unmanaged.passRetained(ThreadBody(body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        }, start.toOpaque())
    if code == 0 { pthread_detach(thread) } else { start.release() }
}

private final class ThreadBody {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
#endif
