/// A block of addresses: `10.96.0.0/16`, `fd00::/112`.
package struct CIDR: Hashable, Sendable, CustomStringConvertible {
    /// The lowest address; its host bits are zero.
    package let network: IPAddress
    /// 0...32 or 0...128.
    package let prefixLength: Int

    /// Reads `address/length`.
    ///
    /// Host bits may be set and are dropped, as `10.96.3.4/16` means `10.96.0.0/16`; use
    /// ``init(strict:)`` to refuse them.
    package init?(_ text: some StringProtocol) {
        guard let (address, length) = Self.parts(text) else { return nil }
        self.init(containing: address, prefixLength: length)
    }

    /// Reads `address/length` in which no host bit is set.
    package init?(strict text: some StringProtocol) {
        guard let (address, length) = Self.parts(text) else { return nil }
        self.init(containing: address, prefixLength: length)
        guard network == address else { return nil }
    }

    /// The block of that size around `address`.
    ///
    /// A prefix length outside 0...32 or 0...128 of the address's family traps.
    package init(containing address: IPAddress, prefixLength: Int) {
        self.prefixLength = prefixLength
        switch address {
        case .v4(let address):
            precondition((0...32).contains(prefixLength), "an IPv4 prefix has 0 to 32 bits")
            network = .v4(IPv4Address(bits: address.bits & ~Self.hostMask32(prefixLength)))
        case .v6(let address):
            precondition((0...128).contains(prefixLength), "an IPv6 prefix has 0 to 128 bits")
            let (high, low) = Self.hostMask128(prefixLength)
            network = .v6(IPv6Address(high: address.high & ~high, low: address.low & ~low))
        }
    }

    /// The lowest address of the block.
    package var first: IPAddress { network }

    /// The highest address of the block.
    package var last: IPAddress {
        switch network {
        case .v4(let address): return .v4(IPv4Address(bits: address.bits | Self.hostMask32(prefixLength)))
        case .v6(let address):
            let (high, low) = Self.hostMask128(prefixLength)
            return .v6(IPv6Address(high: address.high | high, low: address.low | low))
        }
    }

    package var family: IPFamily { network.family }

    /// False for an address of the other family.
    package func contains(_ address: IPAddress) -> Bool {
        address.family == family && CIDR(containing: address, prefixLength: prefixLength).network == network
    }

    package var description: String { "\(network)/\(prefixLength)" }

    private static func parts(_ text: some StringProtocol) -> (IPAddress, Int)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
            String(length) == parts[1], length >= 0, length <= (address.family == .v4 ? 32 : 128)
        else { return nil }
        return (address, length)
    }

    private static func hostMask32(_ length: Int) -> UInt32 { length == 0 ? .max : (1 << UInt32(32 - length)) - 1 }

    private static func hostMask128(_ length: Int) -> (high: UInt64, low: UInt64) {
        if length >= 64 { return (0, length == 64 ? .max : (1 << UInt64(128 - length)) - 1) }
        return (length == 0 ? .max : (1 << UInt64(64 - length)) - 1, .max)
    }
}
