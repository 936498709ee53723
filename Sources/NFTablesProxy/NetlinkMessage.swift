/// Builds netlink messages: headers and nested attributes, padded to four octets, in this machine's byte order where the
/// protocol says nothing else.
struct NetlinkMessage {
    private(set) var bytes: [UInt8] = []
    private var messageStart = 0

    init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// Starts a message of the netfilter family: a header, then `nfgenmsg`.
    mutating func begin(type: UInt16, flags: UInt16, sequence: UInt32, family: UInt8, resource: UInt16 = 0) {
        messageStart = bytes.count
        append(UInt32(0))
        append(type)
        append(flags)
        append(sequence)
        append(UInt32(0))
        bytes += [family, 0, UInt8(resource >> 8), UInt8(resource & 255)]
    }

    /// Writes the message's length into its header.
    mutating func end() { store(UInt32(bytes.count - messageStart), at: messageStart) }

    /// How long the message has become so far.
    var messageLength: Int { bytes.count - messageStart }

    mutating func attribute(_ type: UInt16, _ value: [UInt8]) {
        append(UInt16(value.count + 4))
        append(type)
        bytes += value
        pad()
    }

    /// A string with its final zero.
    mutating func attribute(_ type: UInt16, _ text: String) { attribute(type, Array(text.utf8) + [0]) }

    /// A number of 32 bits in network order, as nf_tables and conntrack have them.
    mutating func attribute(_ type: UInt16, _ number: UInt32) {
        attribute(
            type, [UInt8(number >> 24), UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)])
    }

    mutating func nested(_ type: UInt16, _ body: (inout NetlinkMessage) -> Void) {
        let start = bytes.count
        append(UInt16(0))
        append(type | Netlink.nested)
        body(&self)
        store(UInt16(bytes.count - start), at: start)
    }

    private mutating func pad() { while bytes.count % 4 != 0 { bytes.append(0) } }

    private mutating func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value) { bytes += $0 } }

    private mutating func store(_ value: some FixedWidthInteger, at index: Int) {
        withUnsafeBytes(of: value) { source in
            for (offset, octet) in source.enumerated() { bytes[index + offset] = octet }
        }
    }
}

/// Reads the attributes in a piece of a message.
struct NetlinkAttributes: Sequence, IteratorProtocol {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    mutating func next() -> (type: UInt16, value: ArraySlice<UInt8>)? {
        guard bytes.endIndex - index >= 4 else { return nil }
        let length = Int(bytes.native16(at: index))
        guard length >= 4, length <= bytes.endIndex - index else { return nil }
        let type = bytes.native16(at: index + 2) & ~(Netlink.nested | 0x4000)
        let value = bytes[index + 4..<index + length]
        index = Swift.min(bytes.endIndex, index + (length + 3) / 4 * 4)
        return (type, value)
    }

    /// The first attribute of a type.
    static func first(_ type: UInt16, in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        NetlinkAttributes(bytes).first { $0.type == type }?.value
    }
}

extension ArraySlice<UInt8> {
    func native16(at index: Int) -> UInt16 {
        guard index + 2 <= endIndex else { return 0 }
        return UInt16(littleEndian: UInt16(self[index]) | UInt16(self[index + 1]) << 8)
    }

    func native32(at index: Int) -> UInt32 {
        guard index + 4 <= endIndex else { return 0 }
        return (0..<4).reduce(UInt32(0)) { $0 | UInt32(self[index + $1]) << UInt32(8 * $1) }
    }

    /// All octets as a number in network order.
    var number: UInt64 { reduce(0) { $0 << 8 | UInt64($1) } }
}

/// Numbers of <linux/netlink.h>, <linux/netfilter/nfnetlink.h>, nf_tables.h and nfnetlink_conntrack.h.
enum Netlink {
    static let nested: UInt16 = 0x8000
    static let request: UInt16 = 0x1
    static let acknowledge: UInt16 = 0x4
    static let dump: UInt16 = 0x300
    static let create: UInt16 = 0x400
    static let append: UInt16 = 0x800

    static let error: UInt16 = 2
    static let done: UInt16 = 3
    static let batchBegin: UInt16 = 0x10
    static let batchEnd: UInt16 = 0x11
    static let nftables: UInt16 = 10
    static let conntrack: UInt16 = 1

    static let newChain = nftables << 8 | 3
    static let newRule = nftables << 8 | 6
    static let newSet = nftables << 8 | 9
    static let newElement = nftables << 8 | 12
    static let getElement = nftables << 8 | 13
    static let deleteElement = nftables << 8 | 14
    static let getConnection = conntrack << 8 | 1
    static let deleteConnection = conntrack << 8 | 2

    static let ipv4: UInt8 = 2
    static let ipv6: UInt8 = 10
}
