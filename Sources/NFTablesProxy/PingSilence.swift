#if os(Linux)
package import NetTypes

/// Leaves pings of cluster IPs unanswered where another plane than ours serves them (7.10).
///
/// At addresses that are this machine's the kernel itself would answer. One small table sees to it; it ends with the network
/// namespace, and the next run puts its own in place of one that was left.
package struct PingSilence: Sendable {
    private let library: NFTLibrary

    /// - Parameters:
    ///   - blocks: of cluster IPs; with those of IPv6 every address in them that the machine has.
    ///   - file: the file name of libnftables.
    package init(_ blocks: [CIDR], library file: String = NFTablesConfiguration().library) throws(Failure) {
        guard let library = NFTLibrary(file) else { throw Failure(description: "\(file) cannot be loaded") }
        guard NFTablesPlane.hasNetAdmin else { throw Failure(description: "that takes CAP_NET_ADMIN") }
        do { try library.run(Ruleset.silence(of: blocks)) } catch { throw Failure(description: error.reason) }
        self.library = library
    }

    /// Why pings will be answered.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Has the kernel answer again.
    package func end() { try? library.run(Ruleset.silenceRemoval) }
}

extension Ruleset {
    private static let silenceTable = "inet kiada-silence"

    static let silenceRemoval = "add table \(silenceTable)\ndelete table \(silenceTable)\n"

    static func silence(of blocks: [CIDR]) -> String {
        let rules = blocks.map { block in
            let ping = block.family == .v4 ? "icmp" : "icmpv6"
            return "\(block.family.nft) daddr \(block) \(ping) type echo-request drop"
        }
        return """
            \(silenceRemoval)table \(silenceTable) {
              chain input {
                type filter hook input priority -1;
                \(rules.joined(separator: "\n    "))
              }
            }
            """
    }
}
#endif
