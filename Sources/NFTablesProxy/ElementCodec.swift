import LinuxKernel
import NetTypes
import ServiceRouting

/// Elements as nf_tables has them: every field of a concatenation padded to four octets.
enum ElementCodec {
    /// The key; of an interval of sources the first one.
    static func key(_ key: ElementKey) -> [UInt8] {
        var bytes: [UInt8] = []
        append(key, isLast: false, to: &bytes)
        return bytes
    }

    /// - Parameter isLast: of an interval, whether its last key is meant.
    private static func append(_ key: ElementKey, isLast: Bool, to bytes: inout [UInt8]) {
        switch key {
        case .frontend(let frontend): append(frontend, to: &bytes)
        case .slot(let frontend, let slot):
            append(frontend, to: &bytes)
            append(native: slot, to: &bytes)
        case .source(let frontend, let range):
            append(frontend, to: &bytes)
            append(isLast ? range.last : range.first, to: &bytes)
        case .address(let address): append(address, to: &bytes)
        case .outcome(let outcome): append(native: outcome.number, to: &bytes)
        case .mark(let mark): append(native: mark, to: &bytes)
        case .client(let address, let mark):
            append(address, to: &bytes)
            append(native: mark, to: &bytes)
        }
    }

    private static func append(_ frontend: Frontend, to bytes: inout [UInt8]) {
        append(frontend.address.address, to: &bytes)
        append(native: UInt32(littleEndian: frontend.proto == .tcp ? 6 : 17), to: &bytes)
        append(port: frontend.address.port, to: &bytes)
    }

    private static func append(_ address: IPAddress, to bytes: inout [UInt8]) {
        switch address {
        case .v4(let address): append(native: address.bits.bigEndian, to: &bytes)
        case .v6(let address):
            append(native: address.high.bigEndian, to: &bytes)
            append(native: address.low.bigEndian, to: &bytes)
        }
    }

    private static func append(port: UInt16, to bytes: inout [UInt8]) {
        append(native: port.bigEndian, to: &bytes)
        append(native: UInt16(0), to: &bytes)
    }

    private static func append(native number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
    }

    /// Adds one element to a list of elements.
    static func write(_ element: Element, withData: Bool, to message: inout NetlinkMessage) {
        message.nested(1) { message in
            message.nested(1) { $0.attribute(1) { append(element.key, isLast: false, to: &$0) } }
            if case .source = element.key {
                message.nested(10) { $0.attribute(1) { append(element.key, isLast: true, to: &$0) } }
            }
            guard withData else { return }
            switch element.data {
            case .none: break
            case .outcome(let outcome): message.nested(2) { $0.attribute(1, native: outcome.number) }
            case .verdict(let outcome): Self.verdict(outcome, &message)
            case .endpoint(let endpoint):
                message.nested(2) { message in
                    message.attribute(1) { bytes in
                        append(endpoint.address, to: &bytes)
                        append(port: endpoint.port, to: &bytes)
                    }
                }
            case .mark(let mark): message.nested(2) { $0.attribute(1, native: mark) }
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
