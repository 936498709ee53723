import ControlPlane
import NetTypes
import Testing

@Suite("2.3, 2.4 bands of addresses and node ports")
struct PoolTests {
    @Test(
        "2.3 [V] bands of a CIDR",
        arguments: [
            ("10.96.0.0/16", 256, "10.96.1.1", "10.96.255.254"),
            ("192.168.0.0/22", 64, "192.168.0.65", "192.168.3.254"),
            ("10.96.0.0/24", 16, "10.96.0.17", "10.96.0.254"), ("192.168.0.0/26", 16, "192.168.0.17", "192.168.0.62"),
            ("10.0.0.0/28", 0, "10.0.0.1", "10.0.0.14"),
        ])
    func bands(range: String, staticCount: Int, first: String, last: String) throws {
        let cidr = try #require(CIDR(range))
        var pool = AddressPool(cidr)
        var generator = SystemRandomNumberGenerator()
        let low = try #require(IPAddress(first))
        let high = try #require(IPAddress(last))
        var seen: Set<IPAddress> = []
        let dynamicCount = try #require(Self.distance(low, high)) + 1
        for _ in 0..<dynamicCount {
            let takenAddress = pool.takeAny(using: &generator)
            let address = try #require(takenAddress)
            #expect(address >= low && address <= high)
            seen.insert(address)
        }
        #expect(seen.count == dynamicCount)
        // Only now the static band.
        for _ in 0..<staticCount {
            let takenAddress = pool.takeAny(using: &generator)
            let address = try #require(takenAddress)
            #expect(address < low)
        }
        let none = pool.takeAny(using: &generator)
        #expect(none == nil)
    }

    @Test("2.3 network and broadcast address are never given")
    func edges() throws {
        var pool = AddressPool(try #require(CIDR("10.96.0.0/24")))
        for text in ["10.96.0.0", "10.96.0.255", "10.97.0.1", "fd00::1"] {
            let address = try #require(IPAddress(text))
            let isTaken = pool.take(address)
            #expect(!isTaken, "\(text)")
        }
        let first = try #require(IPAddress("10.96.0.1"))
        let firstTime = pool.take(first)
        let secondTime = pool.take(first)
        #expect(firstTime && !secondTime)
        pool.release(first)
        let thirdTime = pool.take(first)
        #expect(thirdTime)
    }

    @Test("2.3 IPv6 keeps only the network address back")
    func ipv6() throws {
        var pool = AddressPool(try #require(CIDR("fd00::/112")))
        let network = try #require(IPAddress("fd00::"))
        let last = try #require(IPAddress("fd00::ffff"))
        let takesNetwork = pool.take(network)
        let takesLast = pool.take(last)
        #expect(!takesNetwork && takesLast)
    }

    @Test("2.4 static band of node ports is 30000 to 30085")
    func nodePorts() throws {
        var pool = PortPool()
        var generator = SystemRandomNumberGenerator()
        for _ in 30086...32767 {
            let takenPort = pool.takeAny(using: &generator)
            let port = try #require(takenPort)
            #expect(port >= 30086)
        }
        let takenNext = pool.takeAny(using: &generator)
        let next = try #require(takenNext)
        #expect((30000...30085).contains(next))
        #expect(pool.count == 2683)
    }

    private static func distance(_ low: IPAddress, _ high: IPAddress) -> Int? {
        guard case .v4(let low) = low, case .v4(let high) = high else { return nil }
        return Int(high.bits - low.bits)
    }
}
