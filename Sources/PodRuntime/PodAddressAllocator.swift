package import NetTypes

/// Gives each pod an address of its own, from the second of the range upward.
///
/// A freed address is used again only after all others had their turn, so that an old name does not lead to a new pod.
package struct PodAddressAllocator: Sendable {
    private let first: UInt32
    private let last: UInt32
    private var next: UInt32
    private var owners: [UInt32: String] = [:]
    private var byOwner: [String: UInt32] = [:]

    /// - Parameter range: an IPv4 range; its network, first and broadcast addresses are not given out.
    package init?(_ range: CIDR) {
        guard case .v4(let low) = range.first, case .v4(let high) = range.last, high.bits - low.bits >= 4 else {
            return nil
        }
        first = low.bits + 2
        last = high.bits - 1
        next = first
    }

    /// The address of `owner`, a new one if it has none; nil when all are taken.
    package mutating func address(for owner: String) -> IPv4Address? {
        if let own = byOwner[owner] { return IPv4Address(bits: own) }
        guard owners.count < Int(last - first) + 1 else { return nil }
        while owners[next] != nil { advance() }
        let found = next
        advance()
        owners[found] = owner
        byOwner[owner] = found
        return IPv4Address(bits: found)
    }

    package mutating func release(_ owner: String) {
        if let address = byOwner.removeValue(forKey: owner) { owners[address] = nil }
    }

    private mutating func advance() { next = next == last ? first : next + 1 }
}
