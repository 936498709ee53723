import Testing

@testable import ClusterDNS

@Suite("How fast queries come")
struct QueryPaceTests {
    private var pace = QueryPace()
    private var now: UInt64 = 1_000_000_000

    private mutating func take(batches: Int, of count: Int, each pause: UInt64) {
        for _ in 0..<batches {
            now += pause
            pace.take(count, at: now)
        }
    }

    @Test("one at a time or many, it is the time per query that counts")
    mutating func perQuery() {
        take(batches: 100, of: 1, each: 40_000)
        #expect(!pace.isFast)
        take(batches: 100, of: 1, each: 15_000)
        #expect(pace.isFast)
        take(batches: 100, of: 8, each: 400_000)
        #expect(!pace.isFast)
        take(batches: 100, of: 32, each: 400_000)
        #expect(pace.isFast)
    }

    @Test("a short burst or a pause does not decide; a longer one does")
    mutating func smooth() {
        take(batches: 100, of: 1, each: 50_000)
        take(batches: 4, of: 1, each: 5_000)
        #expect(!pace.isFast)
        take(batches: 20, of: 1, each: 5_000)
        #expect(pace.isFast)
        take(batches: 1, of: 1, each: 60_000_000_000)
        #expect(pace.isFast)
        take(batches: 8, of: 1, each: 60_000_000_000)
        #expect(!pace.isFast)
    }
}
