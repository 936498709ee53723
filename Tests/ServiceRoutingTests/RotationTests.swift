import NetTypes
import ServiceRouting
import Testing

@Suite struct RotationTests {
    private let client = Fixture.address("198.51.100.7")

    private func list(_ hosts: ClosedRange<UInt32>) -> EndpointList {
        EndpointList(
            hosts.map {
                RoutedEndpoint(address: SocketEndpoint(address: .v4(IPv4Address(bits: 0x0AF4_0000 + $0)), port: 80))
            })
    }

    @Test("7.3 endpoints take turns; a changed list is shuffled and starts again")
    func turns() {
        var generator = SeededGenerator(seed: 3)
        var rotation = Rotation()
        let first = (0..<8).map { _ in rotation.next(in: list(1...4), tried: [], using: &generator) }
        #expect(Set(first.prefix(4)) == [0, 1, 2, 3])
        #expect(first.prefix(4) == first.suffix(4))
        let second = (0..<5).map { _ in rotation.next(in: list(1...5), tried: [], using: &generator) }
        #expect(Set(second) == [0, 1, 2, 3, 4])
    }

    @Test("7.3 the same seed gives the same order, and seeds differ")
    func seeds() {
        func order(_ seed: UInt64) -> [Int?] {
            var generator = SeededGenerator(seed: seed)
            var rotation = Rotation()
            return (0..<20).map { _ in rotation.next(in: list(1...20), tried: [], using: &generator) }
        }
        #expect(order(1) == order(1))
        #expect(order(1) != order(2))
    }

    @Test("7.3 a failed dial takes the next in turn, and there is none when all were tried")
    func retries() {
        var picker = EndpointPicker(SeededGenerator(seed: 3))
        var none: AffinityTable?
        var rotation: Rotation? = Rotation()
        let endpoints = list(1...3)
        var tried: [SocketEndpoint] = []
        while let pick = picker.pick(
            from: endpoints, tried: tried, affinity: &none, rotation: &rotation, client: client, now: 0)
        {
            #expect(pick.reason == (tried.isEmpty ? .roundRobin : .retry(afterFailures: tried.count)))
            tried.append(endpoints.endpoints[pick.index].address)
        }
        #expect(Set(tried).count == 3)
    }

    @Test("7.3 affinity goes before the turn")
    func affinityFirst() {
        var picker = EndpointPicker(SeededGenerator(seed: 3))
        var table: AffinityTable? = AffinityTable(timeout: .seconds(60))
        var rotation: Rotation? = Rotation()
        let picks = (0..<5).map { _ in
            picker.pick(from: list(1...3), affinity: &table, rotation: &rotation, client: client, now: 0)
        }
        #expect(Set(picks.map { $0?.index }).count == 1)
        #expect(picks.first??.reason == .roundRobin)
        #expect(picks.last??.reason == .affinity(left: .seconds(60)))
    }
}
