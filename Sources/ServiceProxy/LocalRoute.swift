import Glibc
import LinuxKernel
import NetTypes

/// Makes a whole block of addresses this machine's own, with one route of type `local`.
///
/// Any address of the block can then be listened on, neighbours on the link get an answer to their ARP or neighbour
/// requests for it, and a port where nobody listens refuses at once. It needs NET_ADMIN, and ends with the network
/// namespace.
struct LocalRoute {
    /// What the kernel, or the search for the interface, said.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let block: CIDR
    private let interface: UInt32

    /// Adds the route; one that is there already is taken over.
    ///
    /// - Parameter neighbour: an address of the interface on whose link the block is to be answered.
    init(_ block: CIDR, besides neighbour: IPAddress) throws(Failure) {
        guard let interface = Self.interface(of: neighbour) else {
            throw Failure(description: "no interface has the node's address \(neighbour); see --node-address")
        }
        self.block = block
        self.interface = interface
        let error = request(type: 24, flags: RouteRequest.put).send()
        guard error == 0 else {
            let remedy =
                error == EPERM
                ? ". Remedy: give the container NET_ADMIN (cap_add: [NET_ADMIN] in a compose file)" : ""
            throw Failure(
                description: "cannot own the addresses \(block): \(String(cString: strerror(error)))\(remedy)")
        }
    }

    /// Takes the route away.
    func remove() { _ = request(type: 25, flags: RouteRequest.acknowledged).send() }

    private func request(type: UInt16, flags: UInt16) -> RouteRequest {
        Self.request(block, interface: interface, type: type, flags: flags)
    }

    /// A request about the route: rtmsg, RTA_DST, RTA_OIF.
    static func request(_ block: CIDR, interface: UInt32, type: UInt16, flags: UInt16) -> RouteRequest {
        // No source, no type of service; table local, protocol static, scope host, type local; no flags.
        let rest: [UInt8] = [0, 0, 255, 4, 254, 2, 0, 0, 0, 0]
        return RouteRequest(
            type: type, flags: flags, header: [block.family.number, UInt8(block.prefixLength)] + rest
        ) { message in
            message.attribute(1, block.network.octets)
            message.attribute(4, native: interface)
        }
    }

    static func interface(of address: IPAddress) -> UInt32? {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return nil }
        defer { freeifaddrs(list) }
        for entry in sequence(first: list, next: { $0?.pointee.ifa_next }) {
            guard let entry = entry?.pointee, let pointer = entry.ifa_addr else { continue }
            let found: IPAddress? =
                switch Int32(pointer.pointee.sa_family) {
                case AF_INET:
                    pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                        .v4(IPv4Address(bits: UInt32(bigEndian: $0.pointee.sin_addr.s_addr)))
                    }
                default: nil
                }
            if found == address { return if_nametoindex(entry.ifa_name) }
        }
        return nil
    }
}

extension CIDR {
    /// All of 127.0.0.0/8 and ::1 is this machine's without any route.
    var isLoopback: Bool {
        switch network {
        case .v4(let address): address.bits >> 24 == 127 && prefixLength >= 8
        case .v6(let address): IPAddress.v6(address) == IPAddress("::1")
        }
    }
}
