import NetTypes
import Testing

struct IPv6AddressTests {
    @Test(
        "RFC 5952: text comes out in its one canonical form",
        arguments: [
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("fd00:0:0:0:0:0:0:a", "fd00::a"),
            ("2001:DB8::1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ])
    func canonicalText(input: String, output: String) throws {
        #expect(try #require(IPv6Address(input)).description == output)
    }

    @Test(
        "Text that is no IPv6 address is refused",
        arguments: [
            "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", ":1::", "1:",
            "::+1", "1:2:3:4:5:6:7::8", "fe80::1%eth0", "::1.2.3",
        ])
    func refused(input: String) {
        #expect(IPv6Address(input) == nil)
    }

    @Test("Octets are in network order, and the halves make the same address again")
    func octets() throws {
        let address = try #require(IPv6Address("fd00::1:2"))
        #expect(address.octets == [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2])
        #expect(IPv6Address(high: address.high, low: address.low) == address)
    }
}
