import NetTypes
import Testing

struct IPv4AddressTests {
    @Test("Four decimal octets are read and written back", arguments: ["0.0.0.0", "10.96.0.1", "255.255.255.255"])
    func roundTrip(text: String) throws {
        #expect(try #require(IPv4Address(text)).description == text)
    }

    @Test(
        "Other spellings are refused, leading zeros above all",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "010.96.0.1", "256.0.0.1", "1..2.3", "1.2.3.", " 1.2.3.4", "1.2.3.4 ", "+1.2.3.4",
            "1.2.3.00",
        ])
    func refused(text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test("Bits are in host byte order")
    func bits() {
        #expect(IPv4Address("10.0.0.1")?.bits == 0x0A00_0001)
        #expect(IPv4Address(bits: 0x7F60_000A).octets == [127, 96, 0, 10])
    }
}

struct CIDRTests {
    @Test("A block knows its first and last address and what is inside")
    func bounds() throws {
        let block = try #require(CIDR("127.96.3.4/16"))
        #expect(block.description == "127.96.0.0/16")
        #expect(block.last.description == "127.96.255.255")
        #expect(block.contains(try #require(IPAddress("127.96.200.1"))))
        #expect(!block.contains(try #require(IPAddress("127.97.0.0"))))
        #expect(!block.contains(try #require(IPAddress("::1"))))
    }

    @Test(
        "IPv6 blocks split anywhere in the 128 bits",
        arguments: [
            (0, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), (48, "fd00:10:96:ffff:ffff:ffff:ffff:ffff"),
            (64, "fd00:10:96:0:ffff:ffff:ffff:ffff"), (112, "fd00:10:96::ffff"), (128, "fd00:10:96::"),
        ])
    func ipv6(length: Int, last: String) throws {
        #expect(try #require(CIDR("fd00:10:96::/\(length)")).last.description == last)
    }

    @Test("Strict reading refuses host bits; nonsense is always refused")
    func strict() {
        #expect(CIDR(strict: "10.96.0.1/16") == nil)
        #expect(CIDR(strict: "10.96.0.0/16") != nil)
        for text in ["10.96.0.0", "10.96.0.0/33", "10.96.0.0/-1", "10.96.0.0/+8", "10.96.0.0/08", "x/8", "::/129"] {
            #expect(CIDR(text) == nil)
        }
    }
}

struct SocketEndpointTests {
    @Test("IPv6 is in brackets, IPv4 is not", arguments: ["10.0.0.1:80", "[fd00::1]:65535"])
    func roundTrip(text: String) throws {
        #expect(try #require(SocketEndpoint(text)).description == text)
    }

    @Test(
        "Anything else is refused",
        arguments: ["10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:080", "fd00::1:80", "[10.0.0.1]:80"])
    func refused(text: String) {
        #expect(SocketEndpoint(text) == nil)
    }
}
