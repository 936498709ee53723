import NetTypes

/// The rules, as text for nft.
///
/// How many there are depends on how many *different* counts of endpoints, affinity timeouts and classes of clients there
/// are, not on the number of Services.
///
///     prerouting, output ─> services ─ frontend in @frontends ─> @outcomes ─┬─> pick-N    N endpoints: one of them at random
///                               │                                           ├─> refuse    no endpoint: RST or port unreachable
///                               │                                           ├─> drop      Local policy, none here
///                               │                                           └─> special   source ranges, affinity, classes
///                               └─ other ports of cluster IPs ─> refuse; pings of cluster IPs are dropped
///     postrouting, input ─> remember: writes down who was sent where, for affinity
///     postrouting ─────────> masquerade what leaves this machine, because answers have to come back through it
///
/// Only the first packet of a connection is looked at. What the kernel itself says about one, such as a reset to a program
/// here that has a cluster IP as its own address, is not.
///
/// Protocols are numbers here, because a container may have no /etc/protocols.
///
/// A connection of ours has a connection mark in 0x6b000000/8: the number under which its client is remembered, or 0. While its
/// fate is looked up it is marked with the ``Outcome``.
enum Ruleset {
    /// `ct mark` of connections that are ours, without affinity.
    static let mark: UInt32 = 0x6B00_0000
    /// `ct mark` of datagrams that are to be refused where they are delivered.
    static let refusedMark: UInt32 = 0x6BFF_FFFF
    /// The first number for clients that are remembered.
    static func firstMark(instance: UInt8) -> UInt32 { mark + UInt32(instance) << 16 + 1 }

    /// The first slot of clients of class k is k * slotsPerClass.
    static let slotsPerClass: UInt32 = 65_536

    /// The chain that gives a connection its mark.
    static func claimName(class number: Int) -> String { "claim-\(number)" }

    /// Writes down who was sent where, for affinity.
    static let rememberChain = "remember"

    private static let isOurs = "ct mark and 0xff000000 == 0x6b000000"

    /// Both tables anew, without elements; what an earlier run has left goes in the same transaction.
    ///
    /// - Parameter classes: how many classes of clients there can be; class 0 is everybody who is in no other.
    static func base(table: String, exempt: Set<IPAddress>, classes: Int) -> String {
        IPFamily.allCases.map { base($0, table, exempt, classes) }.joined(separator: "\n")
    }

    /// Removes both tables, if they are there.
    static func removal(table: String) -> String {
        IPFamily.allCases.map { "add table \($0.nft) \(table)\ndelete table \($0.nft) \(table)\n" }.joined()
    }

    private static func base(
        _ family: IPFamily, _ table: String, _ exempt: Set<IPAddress>, _ classes: Int
    ) -> String {
        let (ip, frontend) = (family.nft, frontendExpression(family))
        let ping = "\(family == .v4 ? "icmp" : "icmpv6") type echo-request"
        let silent = exempt.filter { $0.family == family }.sorted().map {
            "\(ip) daddr \($0) \(ping) drop"
        }.joined(separator: "\n    ")
        // In order, because the first that fits decides.
        let members = (1..<classes).map {
            "\(frontend) . \(ip) saddr @class-\($0) goto class-\($0)"
        }.joined(separator: "\n    ")
        let outcomes = [false, true].map { isLast in
            let elements = Outcome.fixed(isLast: isLast).map { "\($0.number.hex) : \($0.verdict)" }
            return """
                map \(SetName.outcomes(isLast: isLast)) {
                    type mark : verdict
                    elements = { \(elements.joined(separator: ", ")) }
                  }
                """
        }.joined(separator: "\n  ")
        return """
            add table \(ip) \(table)
            delete table \(ip) \(table)
            table \(ip) \(table) {
              map frontends { typeof \(frontend) : ct mark; }
              \(outcomes)
              set restricted { typeof \(frontend); }
              set sources { typeof \(frontend) . \(ip) saddr; flags interval; }
              set addresses { typeof \(ip) daddr; }
              map endpoints { typeof \(frontend) . numgen random mod 65536 : \(ip) daddr . th dport; counter; }
              map affinity { typeof \(ip) saddr . ct mark : \(ip) daddr . th dport; size 1048576; flags dynamic,timeout; timeout 3h; }
              chain refuse {
                meta l4proto 6 reject with tcp reset
                fib daddr type local ct mark set \(refusedMark.hex) accept
                reject
              }
            \((0..<classes).map { sourceClass($0, family) }.joined())
              chain special {
                \(frontend) @restricted \(frontend) . \(ip) saddr != @sources drop
                \(members)
                goto class-0
              }
              chain services {
                ct mark set \(frontend) map @frontends ct mark vmap @outcomes
                \(ip) daddr @addresses \(ping) drop
                \(silent)
                \(ip) daddr @addresses goto refuse
              }
              chain \(rememberChain) {
              }
              chain prerouting {
                type nat hook prerouting priority -101;
                ct state new jump services
              }
              chain output {
                type nat hook output priority -101;
                ct state new jump services
              }
              chain input {
                type nat hook input priority 99;
                ct mark \(refusedMark.hex) reject
                \(isOurs) jump \(rememberChain)
              }
              chain postrouting {
                type nat hook postrouting priority 99;
                ct state != new return
                ct mark and 0xff000000 != 0x6b000000 return
                jump \(rememberChain)
                oifname != "lo" masquerade
              }
            }
            """
    }

    /// What clients of one class meet.
    private static func sourceClass(_ number: Int, _ family: IPFamily) -> String {
        let (ip, frontend) = (family.nft, frontendExpression(family))
        let members = number == 0 ? "" : "set class-\(number) { typeof \(frontend) . \(ip) saddr; flags interval; }"
        return """
              \(members)
              map choices-\(number) { typeof \(frontend) : ct mark; }
              map sticky-\(number) { typeof \(frontend) : ct mark; }
              chain \(claimName(class: number)) {
                ct mark set \(mark.hex)
                ct mark set \(frontend) map @sticky-\(number)
              }
              chain class-\(number) {
                ct mark set \(frontend) map @sticky-\(number)
                meta l4proto { 6, 17 } \(isOurs) dnat to \(ip) saddr . ct mark map @affinity
                ct mark set \(frontend) map @choices-\(number) ct mark vmap @last-outcomes
              }

            """
    }

    /// Numbers of endpoints whose chains are all made with the first of them.
    ///
    /// When a chain begins to use a map, the kernel looks at all elements of the map: best while it is empty.
    static let commonCounts = 1...16

    /// The chain that chooses among `count` endpoints.
    static func pickName(_ count: Int, class number: Int) -> String {
        number == 0 ? "pick-\(count)" : "pick-\(count)-class-\(number)"
    }

    private static func frontendExpression(_ family: IPFamily) -> String {
        "\(family.nft) daddr . meta l4proto . th dport"
    }
}

extension IPFamily {
    /// As nft names it.
    var nft: String { self == .v4 ? "ip" : "ip6" }
}

extension UInt32 {
    var hex: String { "0x" + String(self, radix: 16) }
}
