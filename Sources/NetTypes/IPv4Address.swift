/// An IPv4 address, kept as 32 bits in host byte order: `10.0.0.1` is `0x0A00_0001`.
///
/// Text has one accepted spelling: four decimal octets without leading zeros. `010.96.0.1` is refused, because some
/// tools read its first octet as 8 and others as 10.
package struct IPv4Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let bits: UInt32

    /// - Parameter bits: host byte order.
    package init(bits: UInt32) { self.bits = bits }

    /// Reads four decimal octets; nil for anything else.
    package init?(_ text: some StringProtocol) {
        var value: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var octets = 1
        for byte in text.utf8 {
            if byte == 0x2E {
                guard digits > 0, octets < 4 else { return nil }
                value = value << 8 | octet
                octet = 0
                digits = 0
                octets += 1
            } else {
                guard (0x30...0x39).contains(byte), digits == 0 || octet != 0 else { return nil }
                octet = octet * 10 + UInt32(byte - 0x30)
                digits += 1
                guard octet <= 255 else { return nil }
            }
        }
        guard octets == 4, digits > 0 else { return nil }
        bits = value << 8 | octet
    }

    package var description: String {
        "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
    }

    /// The four octets in network order.
    package var octets: [UInt8] {
        [UInt8(bits >> 24), UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
    }

    package static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.bits < right.bits }
}
