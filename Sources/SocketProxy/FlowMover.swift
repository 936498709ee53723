#if os(Linux)
import CLinux
import CSocketProxy
import FoundationEssentials
import Glibc
import NetTypes
import ServiceRouting

/// Moves datagram sockets that are connected to an endpoint which serves no more (7.11).
///
/// Such a socket asks no program when it sends. But connect() may be called on it again at any time, also on a duplicate
/// in another process: the duplicate is connected to the frontend once more, and the programs choose anew. The
/// client notices nothing, and what it has received already stays in its socket.
struct FlowMover {
    let peers: BPFMap<Int32, sp_peer>

    /// What made a search find nothing although there was something.
    struct Outcome: Equatable {
        var moved = 0
        /// Sockets of processes that this one may not look into.
        var unreachable = 0
    }

    /// Reconnects every socket of this network namespace whose peer is one of `addresses` and whose storage `isStale`.
    func move(connectedTo addresses: Set<SocketEndpoint>, if isStale: (sp_peer) -> Bool) -> Outcome {
        var outcome = Outcome()
        var inodes = Self.sockets(connectedTo: addresses)
        guard !inodes.isEmpty else { return outcome }
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let process = Int32(entry), !inodes.isEmpty else { continue }
            for (descriptor, inode) in Self.sockets(of: process, among: inodes) {
                // A socket that several processes share is moved once.
                guard inodes.contains(inode), let socket = Self.duplicate(descriptor, of: process) else { continue }
                inodes.remove(inode)
                defer { close(socket) }
                guard let peer = peers.get(socket, room: sp_peer()), isStale(peer) else { continue }
                let frontend = peer.frontend.frontend.address
                Self.leaveLoopback(socket, towards: frontend.address)
                let address = RawAddress(frontend, isIPv6: Self.isIPv6(socket))
                if address.withPointer({ connect(socket, $0, $1) }) == 0 { outcome.moved += 1 }
            }
        }
        outcome.unreachable = inodes.count
        return outcome
    }

    /// The inodes of connected datagram sockets, from /proc/net: few, whatever the number of TCP connections.
    private static func sockets(connectedTo addresses: Set<SocketEndpoint>) -> Set<String> {
        var wanted: Set<String> = []
        for endpoint in addresses {
            let octets = endpoint.address.octets
            wanted.insert(hexadecimal(octets, endpoint.port))
            if octets.count == 4 {
                wanted.insert(hexadecimal([UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + octets, endpoint.port))
            }
        }
        var inodes: Set<String> = []
        for table in ["udp", "udp6"] {
            let text = (try? String(contentsOf: URL(filePath: "/proc/net/\(table)"), encoding: .utf8)) ?? ""
            for line in text.split(separator: "\n") {
                // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
                let fields = line.split(separator: " ")
                if fields.count > 9, wanted.contains(String(fields[2])) { inodes.insert(String(fields[9])) }
            }
        }
        return inodes
    }

    /// As the kernel prints it: each 32-bit word of the address as a number of this machine's byte order.
    private static func hexadecimal(_ octets: [UInt8], _ port: UInt16) -> String {
        var text = ""
        for start in stride(from: 0, to: octets.count, by: 4) {
            for octet in octets[start..<start + 4].reversed() {
                text += padded(String(octet, radix: 16, uppercase: true), 2)
            }
        }
        return "\(text):\(padded(String(port, radix: 16, uppercase: true), 4))"
    }

    private static func padded(_ text: String, _ length: Int) -> String {
        String(repeating: "0", count: max(0, length - text.count)) + text
    }

    private static func sockets(of process: Int32, among inodes: Set<String>) -> [(Int32, String)] {
        let folder = "/proc/\(process)/fd"
        var found: [(Int32, String)] = []
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard let descriptor = Int32(entry),
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(entry)"),
                target.hasPrefix("socket:[")
            else { continue }
            let inode = String(target.dropFirst(8).dropLast())
            if inodes.contains(inode) { found.append((descriptor, inode)) }
        }
        return found
    }

    private static func duplicate(_ descriptor: Int32, of process: Int32) -> Int32? {
        let handle = clinux_pidfd_open(process)
        guard handle >= 0 else { return nil }
        defer { close(handle) }
        let duplicate = csocketproxy_pidfd_getfd(handle, descriptor)
        return duplicate >= 0 ? duplicate : nil
    }

    /// Has the kernel choose the socket's own address anew, if it chose one of the loopback while the client was refused.
    ///
    /// From there nothing but this machine can be reached. An address that the client has chosen itself stays.
    private static func leaveLoopback(_ socket: Int32, towards frontend: IPAddress) {
        guard !frontend.isLoopback, RawAddress(ofSocket: socket)?.endpoint.address.isLoopback == true else { return }
        var nobody = sockaddr()
        nobody.sa_family = sa_family_t(AF_UNSPEC)
        _ = connect(socket, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
    }

    private static func isIPv6(_ socket: Int32) -> Bool {
        var domain: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &length)
        return domain == AF_INET6
    }
}
#endif
