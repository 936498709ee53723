import LinuxKernel
import NetTypes
import ServiceRouting

/// Elements as nf_tables has them: every field of a concatenation padded to four octets.
enum ElementCodec {
    /// The key, and for an interval of sources its last key.
    static func key(_ key: ElementKey) -> (first: [UInt8], last: [UInt8]?) {
        switch key {
        case .frontend(let frontend): return (self.frontend(frontend), nil)
        case .slot(let frontend, let slot): return (self.frontend(frontend) + native(slot), nil)
        case .source(let frontend, let range):
            let start = self.frontend(frontend)
            return (start + range.first.octets, start + range.last.octets)
        case .address(let address): return (address.octets, nil)
        case .outcome(let outcome): return (native(outcome.number), nil)
        case .mark(let mark): return (native(mark), nil)
        case .client(let address, let mark): return (address.octets + native(mark), nil)
        }
    }

    private static func frontend(_ frontend: Frontend) -> [UInt8] {
        frontend.address.address.octets + [frontend.proto == .tcp ? 6 : 17, 0, 0, 0] + port(frontend.address.port)
    }

    private static func port(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(port & 255), 0, 0] }

    private static func native(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }

    /// Adds one element to a list of elements.
    static func write(_ element: Element, withData: Bool, to message: inout NetlinkMessage) {
        let key = key(element.key)
        message.nested(1) { message in
            message.nested(1) { $0.attribute(1, key.first) }
            if let last = key.last { message.nested(10) { $0.attribute(1, last) } }
            guard withData else { return }
            switch element.data {
            case .none: break
            case .outcome(let outcome): message.nested(2) { $0.attribute(1, Self.native(outcome.number)) }
            case .verdict(let outcome): Self.verdict(outcome, &message)
            case .endpoint(let endpoint):
                message.nested(2) { $0.attribute(1, endpoint.address.octets + Self.port(endpoint.port)) }
            case .mark(let mark): message.nested(2) { $0.attribute(1, Self.native(mark)) }
            }
        }
    }

    private static func verdict(_ outcome: Outcome, _ message: inout NetlinkMessage) {
        let chain = outcome.chain
        message.nested(2) { message in
            message.nested(2) { message in
                // NFT_GOTO or NF_DROP.
                message.attribute(1, UInt32(bitPattern: chain == nil ? 0 : -4))
                if let chain { message.attribute(2, chain) }
            }
        }
    }

    /// What an element of `endpoints` or `affinity` says.
    struct Reading {
        var key: ArraySlice<UInt8> = []
        var endpoint: SocketEndpoint?
        var packets: UInt64 = 0
        /// Milliseconds until the element goes by itself; 0 if it does not.
        var expiration: UInt64 = 0
    }

    /// The elements in a message that answers a request for some or all of a set.
    static func readings(_ payload: ArraySlice<UInt8>, _ family: IPFamily) -> [Reading] {
        guard let list = NetlinkAttributes.first(3, in: payload.dropFirst(4)) else { return [] }
        return NetlinkAttributes(list).map { _, value in
            var reading = Reading()
            for (type, value) in NetlinkAttributes(value) {
                switch type {
                case 1: reading.key = NetlinkAttributes.first(1, in: value) ?? []
                case 2:
                    if let data = NetlinkAttributes.first(1, in: value) { reading.endpoint = endpoint(data, family) }
                case 5: reading.expiration = value.number
                case 7:
                    guard let counter = NetlinkAttributes.first(2, in: value) else { continue }
                    reading.packets = NetlinkAttributes.first(2, in: counter)?.number ?? 0
                default: break
                }
            }
            return reading
        }
    }

    private static func endpoint(_ data: ArraySlice<UInt8>, _ family: IPFamily) -> SocketEndpoint? {
        let length = family == .v4 ? 4 : 16
        guard data.count >= length + 2, let address = IPAddress(octets: data.prefix(length)) else { return nil }
        let port = data.dropFirst(length).prefix(2).number
        return SocketEndpoint(address: address, port: UInt16(truncatingIfNeeded: port))
    }

    /// The client and its number, from a key of `affinity`.
    static func client(_ key: ArraySlice<UInt8>, _ family: IPFamily) -> (IPAddress, UInt32)? {
        let length = family == .v4 ? 4 : 16
        guard key.count >= length + 4, let address = IPAddress(octets: key.prefix(length)) else { return nil }
        return (address, key.native32(at: key.startIndex + length))
    }
}

extension IPAddress {
    /// From 4 or 16 octets in network order; nil for another number of them.
    init?(octets: ArraySlice<UInt8>) {
        switch octets.count {
        case 4: self = .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: octets.number)))
        case 16: self = .v6(IPv6Address(high: octets.prefix(8).number, low: octets.dropFirst(8).number))
        default: return nil
        }
    }
}
