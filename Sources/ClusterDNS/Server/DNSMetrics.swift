import DNSWire
import Synchronization

/// What the server has answered so far.
package final class DNSMetrics: Sendable {
    /// One line of the count: which type was asked for, and which code was the answer.
    package struct Kind: Hashable, Sendable {
        /// A mnemonic, or `other`: clients must not be able to make up labels.
        package var type: String
        package var code: String
    }

    private let counts = Mutex<[Kind: UInt64]>([:])

    package init() {}

    /// Queries by type and response code.
    package var queries: [Kind: UInt64] { counts.withLock { $0 } }

    func count(_ type: RecordType?, _ code: ResponseCode) {
        var name = type.map(\.description) ?? "none"
        if name.hasPrefix("TYPE") { name = "other" }
        let kind = Kind(type: name, code: "\(code)")
        counts.withLock { $0[kind, default: 0] += 1 }
    }
}
