#if os(Linux)
import CLinux
import Glibc
import NetTypes
import Synchronization

/// A UDP socket that several threads may send from, and that is closed once.
final class DatagramSocket: Sendable {
    /// Why a socket could not be had: an `errno`.
    struct Failure: Error, CustomStringConvertible {
        var code: Int32
        var description: String { String(cString: strerror(code)) }
    }

    /// Valid until ``close()``.
    let descriptor: Int32
    let port: UInt16
    private let isOpen = Mutex(true)

    /// Binds to `endpoint`, which other sockets of this process may share.
    init(_ endpoint: SocketEndpoint) throws {
        let family = endpoint.address.family == .v4 ? AF_INET : AF_INET6
        descriptor = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        do {
            try Self.set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1)
            // Room for bursts; the kernel gives what it may.
            try? Self.set(descriptor, SOL_SOCKET, SO_RCVBUF, 4 << 20)
            port = try Self.bind(descriptor, endpoint)
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
    }

    /// Sends outside the thread's batches; what cannot be sent is lost, as datagrams may be.
    func send(_ reply: [UInt8], to client: sockaddr_storage, _ length: socklen_t) {
        isOpen.withLock { isOpen in
            guard isOpen else { return }
            withUnsafePointer(to: client) { client in
                client.withMemoryRebound(to: sockaddr.self, capacity: 1) { client in
                    _ = sendto(descriptor, reply, reply.count, Int32(MSG_DONTWAIT), client, length)
                }
            }
        }
    }

    /// Wakes who waits for datagrams: on an unconnected socket this reports an error and works all the same.
    func interrupt() { _ = shutdown(descriptor, Int32(SHUT_RD)) }

    func close() {
        isOpen.withLock { isOpen in
            if isOpen { _ = Glibc.close(descriptor) }
            isOpen = false
        }
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) throws {
        var value = value
        guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw Failure(code: errno)
        }
    }

    /// The port that was bound.
    private static func bind(_ descriptor: Int32, _ endpoint: SocketEndpoint) throws -> UInt16 {
        var storage = sockaddr_storage()
        return try withUnsafeMutableBytes(of: &storage) { bytes in
            var length: socklen_t
            switch endpoint.address {
            case .v4(let address):
                var name = sockaddr_in()
                name.sin_family = sa_family_t(AF_INET)
                name.sin_port = endpoint.port.bigEndian
                name.sin_addr.s_addr = address.bits.bigEndian
                length = socklen_t(MemoryLayout<sockaddr_in>.size)
                bytes.storeBytes(of: name, as: sockaddr_in.self)
            case .v6(let address):
                var name = sockaddr_in6()
                name.sin6_family = sa_family_t(AF_INET6)
                name.sin6_port = endpoint.port.bigEndian
                withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.octets) }
                length = socklen_t(MemoryLayout<sockaddr_in6>.size)
                bytes.storeBytes(of: name, as: sockaddr_in6.self)
            }
            let name = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            guard Glibc.bind(descriptor, name, length) == 0, getsockname(descriptor, name, &length) == 0 else {
                throw Failure(code: errno)
            }
            // Both families have the port in the same place.
            return bytes.load(fromByteOffset: 2, as: UInt16.self).bigEndian
        }
    }
}
#endif
