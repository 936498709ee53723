package import DNSWire

/// What the servers say about one question.
package enum Lookup: Hashable, Sendable {
    /// Records of the type asked for, behind all aliases; never empty.
    case records([ResourceRecord])
    /// The name exists, the type does not.
    case noData
    /// The name does not exist.
    case noName
}

/// Why no server had a usable reply to one question.
package struct LookupError: Error, Hashable, Sendable, CustomStringConvertible {
    package var question: Question
    /// Each server that was asked and what became of it, in order.
    package var failures: [String]
    /// Whether time ran out, so that further questions are no use.
    package var isOutOfTime: Bool

    package var description: String {
        failures.isEmpty ? "\(question): no time left" : "\(question): \(failures.joined(separator: ", "))"
    }
}
