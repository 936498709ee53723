package import NetTypes

/// The addresses of a block, each given to one owner at a time (semantics 2.3).
///
/// The network address is never given, nor is IPv4's broadcast address.
package struct AddressPool: Sendable {
    package let range: CIDR
    private var pool: BandedPool

    package init(_ range: CIDR) {
        self.range = range
        let bits = (range.family == .v4 ? 32 : 128) - range.prefixLength
        let size: UInt64 = bits >= 62 ? 1 << 62 : 1 << UInt64(bits)
        let unusable: UInt64 = range.family == .v4 ? 2 : 1
        let staticSize: UInt64 = size <= 16 ? 0 : min(max(16, size / 16), 256)
        pool = BandedPool(size: size > unusable ? size - unusable : 0, staticSize: staticSize)
    }

    /// How many addresses are taken.
    package var count: Int { pool.count }

    /// Whether `address` can be given at all.
    package func isUsable(_ address: IPAddress) -> Bool { number(of: address) != nil }

    package func isTaken(_ address: IPAddress) -> Bool { number(of: address).map(pool.isTaken) ?? false }

    /// Takes `address`; false when it is taken or cannot be given.
    package mutating func take(_ address: IPAddress) -> Bool { number(of: address).map { pool.take($0) } ?? false }

    /// Takes a free address; nil when there is none.
    package mutating func takeAny(using random: inout some RandomNumberGenerator) -> IPAddress? {
        pool.takeAny(using: &random).map { address(numbered: $0) }
    }

    package mutating func release(_ address: IPAddress) {
        if let number = number(of: address) { pool.release(number) }
    }

    /// The usable address at `index`, counted from 1: the first of 10.96.0.0/16 is 10.96.0.1.
    package func address(at index: UInt64) -> IPAddress { address(numbered: index - 1) }

    private func address(numbered number: UInt64) -> IPAddress {
        switch range.network {
        case .v4(let network): .v4(IPv4Address(bits: network.bits + UInt32(truncatingIfNeeded: number + 1)))
        case .v6(let network): .v6(IPv6Address(high: network.high, low: network.low + number + 1))
        }
    }

    private func number(of address: IPAddress) -> UInt64? {
        guard range.contains(address), address != range.network else { return nil }
        let offset: UInt64
        switch (address, range.network) {
        case (.v4(let address), .v4(let network)): offset = UInt64(address.bits - network.bits)
        case (.v6(let address), .v6(let network)):
            guard address.high == network.high else { return nil }
            offset = address.low - network.low
        default: return nil
        }
        return offset - 1 < pool.size ? offset - 1 : nil
    }
}
