import NetTypes
import ServiceRouting
import Testing

@Suite struct EndpointPickerTests {
    private let client = Fixture.address("198.51.100.7")
    private let second: UInt64 = 1_000_000_000

    private func list(_ count: UInt32) -> EndpointList {
        EndpointList(
            (0..<count).map {
                RoutedEndpoint(address: SocketEndpoint(address: .v4(IPv4Address(bits: 0x0AF4_0001 + $0)), port: 80))
            })
    }

    @Test("S30 of 1000 choices each of 4 endpoints gets 250, within 5 sigma")
    func uniform() {
        var picker = EndpointPicker(SeededGenerator(seed: 4711))
        var counts = [0, 0, 0, 0]
        var none: AffinityTable?
        for _ in 0..<1000 {
            guard let pick = picker.pick(from: list(4), affinity: &none, client: client, now: 0) else { continue }
            #expect(pick.reason == .random)
            counts[pick.index] += 1
        }
        #expect(counts.allSatisfy { abs($0 - 250) <= 70 }, "seed 4711: \(counts)")
    }

    @Test("7.3 a retry never takes an endpoint that failed, and ends when all have")
    func retries() {
        var picker = EndpointPicker(SeededGenerator(seed: 1))
        var none: AffinityTable?
        let endpoints = list(3)
        var tried: [SocketEndpoint] = []
        for _ in 0..<3 {
            guard let pick = picker.pick(from: endpoints, tried: tried, affinity: &none, client: client, now: 0) else {
                break
            }
            if !tried.isEmpty { #expect(pick.reason == .retry(afterFailures: tried.count)) }
            tried.append(endpoints.endpoints[pick.index].address)
        }
        #expect(Set(tried).count == 3)
        #expect(picker.pick(from: endpoints, tried: tried, affinity: &none, client: client, now: 0) == nil)
    }

    @Test("7.7 [V] timeout 60: connects at 0, 50, 100 and 150 stay, at 211 the choice is free")
    func slidingWindow() {
        var picker = EndpointPicker(SeededGenerator(seed: 7))
        var table: AffinityTable? = AffinityTable(timeout: .seconds(60))
        let first = picker.pick(from: list(50), affinity: &table, client: client, now: 0)
        #expect(first?.reason == .random)
        for time in [50, 100, 150] as [UInt64] {
            let next = picker.pick(from: list(50), affinity: &table, client: client, now: time * second)
            #expect(next?.index == first?.index)
            #expect(next?.reason == .affinity(left: .seconds(10)))
        }
        #expect(picker.pick(from: list(50), affinity: &table, client: client, now: 211 * second)?.reason == .random)
    }

    @Test("7.7 elapsed time equal to the timeout is too late")
    func boundary() {
        var table = AffinityTable(timeout: .seconds(60))
        let endpoint = list(1).endpoints[0].address
        table.remember(endpoint, for: client, now: 0)
        #expect(table.use(by: client, now: 60 * second) == nil)
        #expect(table.count == 0)
    }

    @Test("7.7 an endpoint that is no longer listed loses its clients; 7.3 so does one that fails")
    func lostAffinity() {
        var picker = EndpointPicker(SeededGenerator(seed: 7))
        var table: AffinityTable? = AffinityTable(timeout: .seconds(60))
        let gone = SocketEndpoint(address: .v4(IPv4Address(bits: 1)), port: 1)
        table?.remember(gone, for: client, now: 0)
        let pick = picker.pick(from: list(1), affinity: &table, client: client, now: 1)
        #expect(pick?.reason == .onlyReadyEndpoint)
        let failed = list(1).endpoints[0].address
        let retry = picker.pick(from: list(2), tried: [failed], affinity: &table, client: client, now: 2)
        #expect(retry?.index == 1)
        #expect(table?.use(by: client, now: 3)?.endpoint == list(2).endpoints[1].address)
    }

    @Test("the affinity table never grows past its bound")
    func bound() {
        var table = AffinityTable(timeout: .seconds(60), capacity: 8)
        for number in 0..<100 as Range<UInt32> {
            table.remember(list(1).endpoints[0].address, for: .v4(IPv4Address(bits: number)), now: UInt64(number))
        }
        #expect(table.count == 8)
        #expect(table.use(by: .v4(IPv4Address(bits: 99)), now: 100) != nil)
    }
}
