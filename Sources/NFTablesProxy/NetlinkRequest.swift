import LinuxKernel
import NetTypes
import ServiceRouting

/// One request to the kernel's netfilter, ready but for its sequence number.
struct NetlinkRequest {
    private let body: (inout NetlinkMessage, UInt32) -> Void

    private init(_ body: @escaping (inout NetlinkMessage, UInt32) -> Void) { self.body = body }

    func bytes(sequence: UInt32) -> [UInt8] {
        var message = NetlinkMessage()
        body(&message, sequence)
        message.end()
        return message.bytes
    }

    /// All elements of a set.
    static func dump(_ set: SetName, _ family: IPFamily, _ table: String) -> Self {
        Self { message, number in
            message.begin(
                type: Netlink.getElement, flags: Netlink.request | Netlink.dump, sequence: number,
                family: family.netfilter)
            message.attribute(1, table)
            message.attribute(2, set.description)
        }
    }

    /// These elements of `endpoints`; at most some hundreds, because all have to fit into one message.
    static func get(_ elements: [Element], _ family: IPFamily, _ table: String) -> Self {
        Self { message, number in
            message.begin(
                type: Netlink.getElement, flags: Netlink.request | Netlink.acknowledge, sequence: number,
                family: family.netfilter)
            message.attribute(1, table)
            message.attribute(2, SetName.endpoints.description)
            message.nested(3) { message in
                for element in elements { ElementCodec.write(element, withData: false, to: &message) }
            }
        }
    }

    /// The whole table of connections, in both families.
    static var dumpConnections: Self {
        Self { message, number in
            message.begin(
                type: Netlink.getConnection, flags: Netlink.request | Netlink.dump, sequence: number, family: 0)
        }
    }

    /// Makes the kernel forget a connection: its next packet is treated as the first one.
    static func delete(_ connection: Connection) -> Self {
        Self { message, number in
            message.begin(
                type: Netlink.deleteConnection, flags: Netlink.request | Netlink.acknowledge, sequence: number,
                family: connection.frontend.address.address.family.netfilter)
            message.attribute(1 | NetlinkMessage.nestedFlag, connection.tuple)
        }
    }
}
