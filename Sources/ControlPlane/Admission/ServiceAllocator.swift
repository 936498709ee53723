import ClusterModel
import NetTypes

/// Gives Services their addresses and ports, all or nothing (semantics 2.3 to 2.5).
struct ServiceAllocator {
    /// Something that was taken in the course of one request.
    private enum Claim {
        case address(IPAddress)
        case port(UInt16)
    }

    private var addresses: [IPFamily: AddressPool]
    private var ports: PortPool
    private var random: any RandomNumberGenerator & Sendable

    init(_ networks: ClusterNetworks, random: any RandomNumberGenerator & Sendable) {
        addresses = Dictionary(networks.serviceRanges.map { ($0.family, AddressPool($0)) }) { first, _ in first }
        ports = PortPool(networks.nodePorts)
        self.random = random
    }

    /// Fills in what `spec` lacks, and gives back what it no longer has of `old`.
    ///
    /// - Parameter keeps: false for a dry run, which takes nothing.
    /// - Throws: the field at fault, or an internal error when a pool is empty; then nothing has been taken.
    mutating func allocate(
        _ object: KubeObject, _ spec: inout ServiceSpec, old: ServiceSpec?, keeps: Bool
    ) throws(APIError) {
        var claims: [Claim] = []
        do throws(APIError) {
            try allocateAddresses(object, &spec, old, &claims)
            try allocatePorts(object, &spec, old, &claims)
            try allocateHealthCheckPort(&spec, old, &claims)
        } catch {
            giveBack(claims)
            throw error
        }
        guard keeps else { return giveBack(claims) }
        if let old { release(old, except: spec) }
    }

    /// Gives back all that `spec` has.
    mutating func release(_ spec: ServiceSpec) { release(spec, except: ServiceSpec([:])) }

    /// Notes what a Service of an earlier run has.
    mutating func restore(_ spec: ServiceSpec) {
        for address in Self.addresses(of: spec) { _ = addresses[address.family]?.take(address) }
        for port in Self.ports(of: spec) { _ = ports.take(port) }
    }

    // MARK: Addresses

    private mutating func allocateAddresses(
        _ object: KubeObject, _ spec: inout ServiceSpec, _ old: ServiceSpec?, _ claims: inout [Claim]
    ) throws(APIError) {
        guard !spec.isExternalName, !spec.isHeadless else { return }
        let own = Set(old.map(Self.addresses) ?? [])
        let given = spec.clusterIPs
        var settled: [String] = []
        for (index, name) in spec.families.enumerated() {
            guard let family = IPFamily(rawValue: name) else { continue }
            if index < given.count {
                guard let address = IPAddress(given[index]) else { continue }
                if !own.contains(address) { try take(address, object, given, &claims) }
                settled.append(address.description)
            } else {
                guard let address = addresses[family]?.takeAny(using: &random) else {
                    throw .internalError("failed to allocate a serviceIP: range is full")
                }
                claims.append(.address(address))
                settled.append(address.description)
            }
        }
        spec.clusterIPs = settled
        spec.clusterIP = settled.first ?? ""
    }

    private mutating func take(
        _ address: IPAddress, _ object: KubeObject, _ given: [String], _ claims: inout [Claim]
    ) throws(APIError) {
        guard let range = addresses[address.family]?.range else {
            throw .internalError("no range for \(address.family.rawValue)")
        }
        func refused(_ why: String) -> APIError {
            .invalid(object, [.invalid("spec.clusterIPs", given, "failed to allocate IP \(address): \(why)")])
        }
        guard addresses[address.family]?.isUsable(address) == true else {
            throw refused(
                "the provided IP (\(address)) is not in the valid range. The range of valid IPs is \(range)")
        }
        guard addresses[address.family]?.take(address) == true else {
            throw refused("provided IP is already allocated")
        }
        claims.append(.address(address))
    }

    // MARK: Ports

    private mutating func allocatePorts(
        _ object: KubeObject, _ spec: inout ServiceSpec, _ old: ServiceSpec?, _ claims: inout [Claim]
    ) throws(APIError) {
        guard spec.hasNodePorts else { return }
        var own = Set(old.map { $0.ports.map(\.nodePort) } ?? [])
        // At creation, entries of one port number share their node port (53 UDP and TCP).
        var shared: [Int: Int] = [:]
        for (index, port) in spec.ports.enumerated() where port.nodePort != 0 {
            if own.insert(port.nodePort).inserted {
                try take(port.nodePort, "spec.ports[\(index)].nodePort", object, &claims)
            }
            if old == nil { shared[port["port"]?.intValue ?? 0] = port.nodePort }
        }
        guard spec.allocatesNodePorts else { return }
        for (index, port) in spec.ports.enumerated() where port.nodePort == 0 {
            let number = port["port"]?.intValue ?? 0
            if let known = shared[number] {
                spec.ports[index].nodePort = known
                continue
            }
            guard let found = ports.takeAny(using: &random) else {
                throw .internalError("failed to allocate a nodePort: range is full")
            }
            claims.append(.port(found))
            spec.ports[index].nodePort = Int(found)
            if old == nil { shared[number] = Int(found) }
        }
    }

    private mutating func take(
        _ number: Int, _ path: String, _ object: KubeObject, _ claims: inout [Claim]
    ) throws(APIError) {
        guard let port = UInt16(exactly: number), ports.range.contains(port) else {
            let range = "\(ports.range.lowerBound)-\(ports.range.upperBound)"
            let why = "provided port is not in the valid range. The range of valid ports is \(range)"
            throw .invalid(object, [.invalid(path, number, why)])
        }
        guard ports.take(port) else {
            throw .invalid(object, [.invalid(path, number, "provided port is already allocated")])
        }
        claims.append(.port(port))
    }

    private mutating func allocateHealthCheckPort(
        _ spec: inout ServiceSpec, _ old: ServiceSpec?, _ claims: inout [Claim]
    ) throws(APIError) {
        guard spec.wantsHealthCheckPort else { return }
        let wanted = spec.healthCheckNodePort
        if wanted != 0 {
            if old?.healthCheckNodePort == wanted { return }
            guard let port = UInt16(exactly: wanted), ports.take(port) else {
                let isInside = UInt16(exactly: wanted).map(ports.range.contains) ?? false
                let why =
                    isInside
                    ? "provided port is already allocated"
                    : "provided port is not in the valid range. The range of valid ports is "
                        + "\(ports.range.lowerBound)-\(ports.range.upperBound)"
                throw .internalError("failed to allocate requested HealthCheck NodePort \(wanted): \(why)")
            }
            claims.append(.port(port))
            return
        }
        guard let found = ports.takeAny(using: &random) else {
            throw .internalError("failed to allocate a HealthCheck NodePort: range is full")
        }
        claims.append(.port(found))
        spec.healthCheckNodePort = Int(found)
    }

    // MARK: Giving back

    private mutating func giveBack(_ claims: [Claim]) {
        for claim in claims {
            switch claim {
            case .address(let address): addresses[address.family]?.release(address)
            case .port(let port): ports.release(port)
            }
        }
    }

    private mutating func release(_ old: ServiceSpec, except new: ServiceSpec) {
        for address in Set(Self.addresses(of: old)).subtracting(Self.addresses(of: new)) {
            addresses[address.family]?.release(address)
        }
        for port in Set(Self.ports(of: old)).subtracting(Self.ports(of: new)) { ports.release(port) }
    }

    private static func addresses(of spec: ServiceSpec) -> [IPAddress] {
        spec.isExternalName ? [] : spec.clusterIPs.compactMap { IPAddress($0) }
    }

    private static func ports(of spec: ServiceSpec) -> [UInt16] {
        // What an ExternalName Service has was never allocated.
        spec.isExternalName
            ? []
            : (spec.ports.map(\.nodePort) + [spec.healthCheckNodePort]).filter { $0 != 0 }.compactMap(
                UInt16.init(exactly:))
    }
}
