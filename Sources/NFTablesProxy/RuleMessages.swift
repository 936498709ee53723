import LinuxKernel
import NetTypes

/// The rules that are made as they are needed, in the kernel's own terms.
///
/// As text they would not do: nft 1.0.6 runs out of registers with IPv6 addresses, and cannot read our maps back from the
/// kernel when a rule shall use them. Here they are part of the same transaction as their first elements.
enum RuleMessages {
    /// The chain that chooses among so many endpoints.
    static func chain(of pick: Transaction.Pick, table: String, to message: inout NetlinkMessage) {
        message.attribute(1, table)
        message.attribute(3, pick.name)
    }

    /// The rule that makes the connection ours: `jump claim-0`.
    static func claim(_ pick: Transaction.Pick, table: String, to message: inout NetlinkMessage) {
        rule(in: pick.name, table, &message) { message in
            expression("immediate", &message) {
                $0.attribute(1, UInt32(0))
                $0.nested(2) {
                    $0.nested(2) {
                        $0.attribute(1, UInt32(bitPattern: -3))
                        $0.attribute(2, Ruleset.claimName(class: pick.number))
                    }
                }
            }
        }
    }

    /// Sends the connection to one of the endpoints.
    ///
    ///     dnat to ip daddr . meta l4proto . th dport . numgen random mod 3 map @endpoints
    static func choose(_ pick: Transaction.Pick, table: String, to message: inout NetlinkMessage) {
        let address = Register.first
        let proto = address + Register.count(pick.family)
        rule(in: pick.name, table, &message) { message in
            payload(address, .destination(pick.family), &message)
            expression("meta", &message) {
                $0.attribute(1, proto)
                $0.attribute(2, UInt32(16))
            }
            payload(proto + 1, .port, &message)
            expression("numgen", &message) {
                $0.attribute(1, proto + 2)
                $0.attribute(2, UInt32(pick.count))
                $0.attribute(3, UInt32(1))
                $0.attribute(4, UInt32(pick.number) * Ruleset.slotsPerClass)
            }
            expression("lookup", &message) {
                $0.attribute(1, SetName.endpoints.description)
                $0.attribute(2, address)
                $0.attribute(3, address)
            }
            expression("nat", &message) {
                $0.attribute(1, UInt32(1))
                $0.attribute(2, UInt32(pick.family.netfilter))
                $0.attribute(3, address)
                $0.attribute(5, address + Register.count(pick.family))
            }
        }
    }

    /// The set of the numbers that have one timeout: `set timeout-60 { typeof ct mark; }`.
    ///
    /// - Parameter identifier: tells sets of one transaction apart.
    static func set(
        of timeout: Transaction.Timeout, table: String, identifier: UInt32, to message: inout NetlinkMessage
    ) {
        message.attribute(1, table)
        message.attribute(2, SetName.timeout(timeout.seconds).description)
        message.attribute(3, UInt32(0))
        // What nft calls the type of a mark, and its octets.
        message.attribute(4, UInt32(19))
        message.attribute(5, UInt32(4))
        message.attribute(10, identifier)
    }

    /// Writes down who was sent where.
    ///
    ///     ct mark @timeout-60 update @affinity { ip saddr . ct mark timeout 60s : ip daddr . th dport }
    static func remember(_ timeout: Transaction.Timeout, table: String, to message: inout NetlinkMessage) {
        let client = Register.first
        let number = client + Register.count(timeout.family)
        let address = number + 1
        rule(in: Ruleset.rememberChain, table, &message) { message in
            expression("ct", &message) {
                $0.attribute(1, number)
                $0.attribute(2, UInt32(3))
            }
            expression("lookup", &message) {
                $0.attribute(1, SetName.timeout(timeout.seconds).description)
                $0.attribute(2, number)
            }
            payload(client, .source(timeout.family), &message)
            payload(address, .destination(timeout.family), &message)
            payload(address + Register.count(timeout.family), .port, &message)
            expression("dynset", &message) {
                $0.attribute(1, SetName.affinity.description)
                $0.attribute(3, UInt32(1))
                $0.attribute(4, client)
                $0.attribute(5, address)
                $0.attribute(6, bigEndian(UInt64(timeout.seconds) * 1000))
            }
        }
    }

    // MARK: - Parts

    /// Registers of 32 bits.
    private enum Register {
        static let first: UInt32 = 8

        /// How many an address takes.
        static func count(_ family: IPFamily) -> UInt32 { family == .v4 ? 1 : 4 }
    }

    /// A field of a packet.
    private struct Field {
        /// 1 for the network's header, 2 for the transport's.
        let base: UInt32
        let offset: UInt32
        let length: UInt32

        static let port = Field(base: 2, offset: 2, length: 2)

        static func source(_ family: IPFamily) -> Field {
            Field(base: 1, offset: family == .v4 ? 12 : 8, length: 4 * Register.count(family))
        }

        static func destination(_ family: IPFamily) -> Field {
            Field(base: 1, offset: family == .v4 ? 16 : 24, length: 4 * Register.count(family))
        }
    }

    private static func payload(_ register: UInt32, _ field: Field, _ message: inout NetlinkMessage) {
        expression("payload", &message) {
            $0.attribute(1, register)
            $0.attribute(2, field.base)
            $0.attribute(3, field.offset)
            $0.attribute(4, field.length)
        }
    }

    private static func rule(
        in chain: String, _ table: String, _ message: inout NetlinkMessage,
        _ expressions: (inout NetlinkMessage) -> Void
    ) {
        message.attribute(1, table)
        message.attribute(2, chain)
        message.nested(4, expressions)
    }

    private static func expression(
        _ name: String, _ message: inout NetlinkMessage, _ body: (inout NetlinkMessage) -> Void
    ) {
        message.nested(1) { message in
            message.attribute(1, name)
            message.nested(2, body)
        }
    }

    private static func bigEndian(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
}
