import ProxyHealth
import Testing

@Suite("7.14-7.16 when changes become effective")
struct SyncRecordTests {
    private static let second: Int64 = 1_000_000_000

    @Test("A change that waits makes the proxy unhealthy after 60 seconds and not before; the oldest one counts")
    func pending() {
        var record = SyncRecord()
        #expect(record.isHealthy(at: .max))
        record.queue(services: 1, endpoints: 0, at: 100 * Self.second)
        record.queue(services: 0, endpoints: 2, at: 130 * Self.second)
        #expect(record.isHealthy(at: 160 * Self.second - 1))
        #expect(!record.isHealthy(at: 160 * Self.second))
        #expect(record.pendingServiceChanges == 1 && record.pendingEndpointChanges == 2)
        record.finish(start: 130 * Self.second, end: 170 * Self.second, isFull: true)
        #expect(record.isHealthy(at: 1_000 * Self.second))
        #expect(record.pendingServiceChanges == 0 && record.pendingEndpointChanges == 0)
        #expect(record.serviceChanges == 1 && record.endpointChanges == 2)
    }

    @Test("7.15 full and partial syncs are counted apart and together; programming counts from the second sync on")
    func histograms() {
        var record = SyncRecord()
        record.finish(start: 0, end: 3 * Self.second, isFull: true, triggers: [1])
        #expect(record.programming.count == 0)
        record.finish(start: 10 * Self.second, end: 10 * Self.second + 900_000, isFull: false, triggers: [8, 9])
        #expect(record.syncs.count == 2 && record.fullSyncs.count == 1 && record.partialSyncs.count == 1)
        #expect(record.partialSyncs.counts.first == 1 && record.fullSyncs.sum == 3)
        #expect(record.programming.count == 2)
        #expect(record.syncs.bounds.count == 15 && record.syncs.bounds.last == 16.384)
        #expect(record.programming.bounds.count == 80 && record.programming.bounds.last == 300)
    }
}
