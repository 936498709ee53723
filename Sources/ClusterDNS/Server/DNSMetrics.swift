import DNSWire
import Synchronization

/// What the server has answered so far, and how quickly.
///
/// Counters are plain atomics, so that counting costs no lock.
package final class DNSMetrics: @unchecked Sendable {
    /// One line of the count: which type was asked for, and which code was the answer.
    package struct Kind: Hashable, Sendable {
        /// A mnemonic, `other`, or `none` where no type could be read: clients must not be able to make up labels.
        package var type: String
        package var code: String
    }

    /// Types and codes that are counted apart; the rest is `other`.
    private static let types: [RecordType] = [
        .a, .aaaa, .srv, .ptr, .cname, .txt, .soa, .ns, .mx, .https, .any, .axfr, .ixfr, .opt,
    ]
    private static let codes: [ResponseCode] = [
        .noError, .nameError, .serverFailure, .refused, .formatError, .notImplemented, .badVersion,
    ]
    private static let typeNames = types.map(\.description) + ["other", "none"]
    private static let codeNames = codes.map(\.description) + ["other"]
    private static let cellCount = typeNames.count * codeNames.count

    /// Upper bounds of the latency histogram, in nanoseconds.
    private static let bounds: [UInt64] = [
        10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 50_000_000,
        100_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
    ]

    // Unchecked: the memory is allocated once and holds nothing but atomics.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    /// One per bound, one for what is beyond.
    private let buckets: UnsafeMutablePointer<Atomic<UInt64>>
    private let nanoseconds = Atomic<UInt64>(0)
    private let prepared = Atomic<UInt64>(0)

    package init() {
        cells = .allocate(capacity: Self.cellCount)
        for index in 0..<Self.cellCount { (cells + index).initialize(to: Atomic(0)) }
        buckets = .allocate(capacity: Self.bounds.count + 1)
        for index in 0...Self.bounds.count { (buckets + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: Self.cellCount)
        cells.deallocate()
        buckets.deinitialize(count: Self.bounds.count + 1)
        buckets.deallocate()
    }

    /// Queries by type and response code.
    package var queries: [Kind: UInt64] {
        var queries: [Kind: UInt64] = [:]
        for (place, type) in Self.typeNames.enumerated() {
            for (index, code) in Self.codeNames.enumerated() {
                let count = cells[place * Self.codeNames.count + index].load(ordering: .relaxed)
                if count > 0 { queries[Kind(type: type, code: code)] = count }
            }
        }
        return queries
    }

    /// Replies that were given again as bytes, without asking the zone.
    package var preparedReplies: UInt64 { prepared.load(ordering: .relaxed) }

    func count(_ type: RecordType?, _ code: ResponseCode, times: Int = 1) {
        guard times > 0 else { return }
        cells[Self.cell(type, code)].wrappingAdd(UInt64(times), ordering: .relaxed)
    }

    func countPrepared(_ count: Int) { prepared.wrappingAdd(UInt64(count), ordering: .relaxed) }

    /// Takes the time that `count` replies took.
    func observe(nanoseconds time: UInt64, count: Int = 1) {
        var bucket = 0
        while bucket < Self.bounds.count, time > Self.bounds[bucket] { bucket += 1 }
        buckets[bucket].wrappingAdd(UInt64(count), ordering: .relaxed)
        nanoseconds.wrappingAdd(time &* UInt64(count), ordering: .relaxed)
    }

    private static func cell(_ type: RecordType?, _ code: ResponseCode) -> Int {
        // Nearly every query is one of these.
        let place =
            switch type {
            case .none: typeNames.count - 1
            case .some(.a): 0
            case .some(.aaaa): 1
            case .some(let other): types.firstIndex(of: other) ?? types.count
            }
        let index = code == .noError ? 0 : codes.firstIndex(of: code) ?? codes.count
        return place * codeNames.count + index
    }

    /// All of it in Prometheus's text format.
    ///
    /// - Parameter cacheHits: replies of upstream servers that came from the cache.
    package func prometheusText(cacheHits: UInt64) -> String {
        var lines = [
            "# HELP kiada_dns_queries_total Queries answered, by type asked for and response code.",
            "# TYPE kiada_dns_queries_total counter",
        ]
        for (kind, count) in queries.sorted(by: { ($0.key.type, $0.key.code) < ($1.key.type, $1.key.code) }) {
            lines.append("kiada_dns_queries_total{type=\"\(kind.type)\",code=\"\(kind.code)\"} \(count)")
        }
        lines += [
            "# HELP kiada_dns_query_duration_seconds Time from a query's arrival to its reply.",
            "# TYPE kiada_dns_query_duration_seconds histogram",
        ]
        var sum: UInt64 = 0
        for (index, bound) in Self.bounds.enumerated() {
            sum += buckets[index].load(ordering: .relaxed)
            lines.append("kiada_dns_query_duration_seconds_bucket{le=\"\(Double(bound) / 1e9)\"} \(sum)")
        }
        sum += buckets[Self.bounds.count].load(ordering: .relaxed)
        lines += [
            "kiada_dns_query_duration_seconds_bucket{le=\"+Inf\"} \(sum)",
            "kiada_dns_query_duration_seconds_sum \(Double(nanoseconds.load(ordering: .relaxed)) / 1e9)",
            "kiada_dns_query_duration_seconds_count \(sum)",
            "# HELP kiada_dns_upstream_cache_hits_total Upstream replies that came from the cache.",
            "# TYPE kiada_dns_upstream_cache_hits_total counter",
            "kiada_dns_upstream_cache_hits_total \(cacheHits)",
            "# HELP kiada_dns_prepared_replies_total Replies given again without asking the zone.",
            "# TYPE kiada_dns_prepared_replies_total counter",
            "kiada_dns_prepared_replies_total \(preparedReplies)",
        ]
        return lines.joined(separator: "\n") + "\n"
    }
}
