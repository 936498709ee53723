/// Builds netlink messages (netlink(7)): headers and nested attributes, padded to four octets, in this machine's byte order
/// where the protocol says nothing else.
package struct NetlinkMessage {
    package private(set) var bytes: [UInt8] = []
    private var messageStart = 0
    /// The bit in the type of an attribute that says that its value is attributes.
    package static let nestedFlag: UInt16 = 0x8000

    package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// Starts a message.
    ///
    /// - Parameter header: what the protocol has between netlink's own header and the attributes.
    package mutating func begin(type: UInt16, flags: UInt16, sequence: UInt32, header: [UInt8]) {
        messageStart = bytes.count
        append(UInt32(0))
        append(type)
        append(flags)
        append(sequence)
        append(UInt32(0))
        bytes += header
    }

    /// Writes the message's length into its header.
    package mutating func end() { store(UInt32(bytes.count - messageStart), at: messageStart) }

    /// How long the message has become so far.
    package var messageLength: Int { bytes.count - messageStart }

    package mutating func attribute(_ type: UInt16, _ value: [UInt8]) {
        append(UInt16(value.count + 4))
        append(type)
        bytes += value
        pad()
    }

    /// A value of octets that `body` appends, however many they are.
    package mutating func attribute(_ type: UInt16, appending body: (inout [UInt8]) -> Void) {
        let start = bytes.count
        append(UInt16(0))
        append(type)
        body(&bytes)
        store(UInt16(bytes.count - start), at: start)
        pad()
    }

    /// A string with its final zero.
    package mutating func attribute(_ type: UInt16, _ text: String) { attribute(type, Array(text.utf8) + [0]) }

    /// A number of 32 bits in network order, as nf_tables and conntrack have them.
    package mutating func attribute(_ type: UInt16, _ number: UInt32) {
        attribute(
            type, [UInt8(number >> 24), UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)])
    }

    /// A number of 32 bits in this machine's order, as rtnetlink has them.
    package mutating func attribute(_ type: UInt16, native number: UInt32) {
        attribute(type, withUnsafeBytes(of: number) { Array($0) })
    }

    package mutating func nested(_ type: UInt16, _ body: (inout NetlinkMessage) -> Void) {
        let start = bytes.count
        append(UInt16(0))
        append(type | Self.nestedFlag)
        body(&self)
        store(UInt16(bytes.count - start), at: start)
    }

    private mutating func pad() { while bytes.count % 4 != 0 { bytes.append(0) } }

    private mutating func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value) { bytes += $0 } }

    private mutating func store(_ value: some FixedWidthInteger, at index: Int) {
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: index, as: type(of: value)) }
    }
}

/// Reads the attributes in a piece of a message.
package struct NetlinkAttributes: Sequence, IteratorProtocol {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    package mutating func next() -> (type: UInt16, value: ArraySlice<UInt8>)? {
        guard bytes.endIndex - index >= 4 else { return nil }
        let length = Int(bytes.native16(at: index))
        guard length >= 4, length <= bytes.endIndex - index else { return nil }
        let type = bytes.native16(at: index + 2) & ~(NetlinkMessage.nestedFlag | 0x4000)
        let value = bytes[index + 4..<index + length]
        index = Swift.min(bytes.endIndex, index + (length + 3) / 4 * 4)
        return (type, value)
    }

    /// The first attribute of a type.
    package static func first(_ type: UInt16, in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        NetlinkAttributes(bytes).first { $0.type == type }?.value
    }
}

extension ArraySlice<UInt8> {
    /// Two octets in this machine's order; 0 behind the end.
    package func native16(at index: Int) -> UInt16 {
        guard index + 2 <= endIndex else { return 0 }
        return UInt16(littleEndian: UInt16(self[index]) | UInt16(self[index + 1]) << 8)
    }

    /// Four octets in this machine's order; 0 behind the end.
    package func native32(at index: Int) -> UInt32 {
        guard index + 4 <= endIndex else { return 0 }
        return (0..<4).reduce(UInt32(0)) { $0 | UInt32(self[index + $1]) << UInt32(8 * $1) }
    }

    /// All octets as a number in network order.
    package var number: UInt64 { reduce(0) { $0 << 8 | UInt64($1) } }
}
