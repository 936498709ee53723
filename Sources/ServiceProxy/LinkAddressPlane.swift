import FoundationEssentials
import Glibc
import LinuxKernel
import NetTypes
import ServiceRouting

/// A data plane whose IPv6 frontends are made addresses of an interface first.
///
/// A ``LocalRoute`` is enough for IPv4. For IPv6 the kernel answers neighbours, and lets programs listen, only at addresses
/// that an interface really has. What was added is taken away again when the last frontend of an address goes, and at the end.
actor LinkAddressPlane: DataPlane {
    /// Adds (true) an address to the link or removes it; an error number.
    typealias Change = @Sendable (IPAddress, Bool) -> Int32

    nonisolated let name: String
    private let plane: any DataPlane
    private let blocks: [CIDR]
    private let change: Change
    private var frontends: [IPAddress: Set<Frontend>] = [:]
    private var leftovers: Set<IPAddress>

    /// - Parameters:
    ///   - blocks: of whose addresses the plane takes care.
    ///   - leftovers: those of them that the link has already.
    init(_ plane: any DataPlane, blocks: [CIDR], leftovers: Set<IPAddress> = [], change: @escaping Change) {
        self.plane = plane
        self.blocks = blocks
        self.leftovers = leftovers
        self.change = change
        name = plane.name
    }

    /// - Parameter neighbour: an address of the interface; nil if none has it.
    init?(_ plane: any DataPlane, blocks: [CIDR], besides neighbour: IPAddress) {
        guard let interface = LocalRoute.interface(of: neighbour) else { return nil }
        let table = (try? String(contentsOf: URL(filePath: "/proc/net/if_inet6"), encoding: .utf8)) ?? ""
        let leftovers = Self.addresses(of: interface, in: table).filter { address in
            blocks.contains { $0.contains(address) }
        }
        self.init(plane, blocks: blocks, leftovers: Set(leftovers)) { address, isAdded in
            Self.request(address, isAdded, interface: interface).send()
        }
    }

    func apply(_ diff: RoutingDiff) async -> [FrontendProblem] {
        if diff.isComplete {
            let kept = Set(diff.changed.map(\.frontend.address.address))
            for address in frontends.keys where !kept.contains(address) { drop(address) }
        }
        for frontend in diff.changed.map(\.frontend) {
            let address = frontend.address.address
            guard blocks.contains(where: { $0.contains(address) }) else { continue }
            // One that could not be added is tried again with the next change of a route.
            if frontends[address] == nil {
                let error = change(address, true)
                guard error == 0 || error == EEXIST else { continue }
            }
            frontends[address, default: []].insert(frontend)
        }
        let problems = await plane.apply(diff)
        for frontend in diff.removed {
            let address = frontend.address.address
            frontends[address]?.remove(frontend)
            if frontends[address]?.isEmpty == true { drop(address) }
        }
        for address in leftovers where frontends[address] == nil { drop(address) }
        leftovers = []
        return problems
    }

    nonisolated func connectionEvents(limit: Int) -> AsyncStream<ConnectionEvent> {
        plane.connectionEvents(limit: limit)
    }

    func counters() async -> [EndpointCounters] { await plane.counters() }

    func stop() async {
        await plane.stop()
        for address in Array(frontends.keys) { drop(address) }
    }

    private func drop(_ address: IPAddress) {
        frontends[address] = nil
        _ = change(address, false)
    }

    /// RTM_NEWADDR or RTM_DELADDR with ifaddrmsg, IFA_ADDRESS, IFA_CACHEINFO and IFA_FLAGS.
    ///
    /// The address is usable at once, without asking the link whether somebody has it. It is never preferred, so that the kernel
    /// does not choose it for connections of our own, which would break when it goes.
    static func request(_ address: IPAddress, _ isAdded: Bool, interface: UInt32) -> RouteRequest {
        let octets = address.octets
        let index = withUnsafeBytes(of: interface) { Array($0) }
        // Seconds preferred and valid, and two times that only the kernel writes.
        let lifetimes: [UInt32] = [0, .max, 0, 0]
        return RouteRequest(
            type: isAdded ? 20 : 21, flags: isAdded ? RouteRequest.put : RouteRequest.acknowledged,
            header: [address.family.number, UInt8(octets.count * 8), 0, 0] + index
        ) { message in
            message.attribute(1, octets)
            message.attribute(6, lifetimes.withUnsafeBytes { Array($0) })
            message.attribute(8, native: 0x02)
        }
    }

    /// The addresses of an interface in the kernel's table: address, number of the interface in hexadecimal digits, and more.
    static func addresses(of interface: UInt32, in table: String) -> [IPAddress] {
        table.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 2, fields[0].count == 32, UInt32(fields[1], radix: 16) == interface,
                let high = UInt64(fields[0].prefix(16), radix: 16), let low = UInt64(fields[0].suffix(16), radix: 16)
            else { return nil }
            return .v6(IPv6Address(high: high, low: low))
        }
    }
}
