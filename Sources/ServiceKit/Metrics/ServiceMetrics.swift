import FoundationEssentials
import Glibc
package import HTTPTypes
import Synchronization

/// Counts what a service does, for `/metrics`.
///
/// Labels have few values by construction: routes are the router's patterns, not paths.
package final class ServiceMetrics: Sendable {
    private struct RequestKey: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    /// The requests of one kind, told in `/metrics` from the first one on: to be kept by whoever counts many of it.
    final class Series: Sendable {
        fileprivate let histogram = Mutex(Histogram())

        /// One more request, which took so long.
        func add(_ duration: Duration) {
            let seconds = duration / .seconds(1)
            histogram.withLock { $0.add(seconds) }
        }
    }

    fileprivate struct Histogram {
        var buckets = [UInt64](repeating: 0, count: ServiceMetrics.bounds.count)
        var count: UInt64 = 0
        var seconds = 0.0

        mutating func add(_ seconds: Double) {
            for (index, bound) in ServiceMetrics.bounds.enumerated() where seconds <= bound { buckets[index] += 1 }
            count += 1
            self.seconds += seconds
        }
    }

    private struct Family {
        let help: String
        var values: [String: Count] = [:]
    }

    /// What a counter has counted.
    fileprivate final class Count: Sendable {
        let value = Atomic<UInt64>(0)
    }

    private struct State {
        var requests: [RequestKey: Series] = [:]
        var counters: [String: Family] = [:]
    }

    /// Upper bounds of the duration buckets, in seconds.
    private static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    private let program: String
    private let startSeconds = Date().timeIntervalSince1970
    private let state = Mutex(State())

    /// - Parameter program: the name in `kiada_build_info`.
    package init(program: String) { self.program = program }

    package func requestEnded(method: HTTPRequest.Method, route: String, status: Int, duration: Duration) {
        series(method: method, route: route, status: status).add(duration)
    }

    func series(method: HTTPRequest.Method, route: String, status: Int) -> Series {
        let name = Self.methods.contains(method.rawValue) ? method.rawValue : "other"
        let key = RequestKey(method: name, route: route, status: status)
        return state.withLock { state in
            if let known = state.requests[key] { return known }
            let series = Series()
            state.requests[key] = series
            return series
        }
    }

    /// One counter with its labels, to be kept by whoever counts often.
    package struct Counter: Sendable {
        fileprivate let count: Count

        /// Adds one; a counter is told in `/metrics` from the first time on.
        package func increment() { count.value.add(1, ordering: .relaxed) }
    }

    /// The counter `name`, which should end with `_total`.
    ///
    /// - Parameter labels: few names with few values each, in order.
    package func counter(_ name: String, help: String, labels: KeyValuePairs<String, String> = [:]) -> Counter {
        let labels = labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        let count = state.withLock { state in
            let known = state.counters[name]?.values[labels] ?? Count()
            state.counters[name, default: Family(help: help)].values[labels] = known
            return known
        }
        return Counter(count: count)
    }

    /// Everything in Prometheus's text format.
    package func text() -> String {
        let state = state.withLock { $0 }
        var lines = [
            "# HELP kiada_build_info The program and its version.", "# TYPE kiada_build_info gauge",
            "kiada_build_info{program=\"\(program)\",version=\"\(SuiteVersion.text)\"} 1",
            "# HELP http_requests_total Requests answered.", "# TYPE http_requests_total counter",
        ]
        let all = state.requests.map { (key: $0.key, value: $0.value.histogram.withLock { $0 }) }
        let requests = all.filter { $0.value.count > 0 }.sorted {
            ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
        }
        func labels(_ key: RequestKey) -> String {
            "method=\"\(key.method)\",route=\"\(Self.escaped(key.route))\",status=\"\(key.status)\""
        }
        lines += requests.map { "http_requests_total{\(labels($0.key))} \($0.value.count)" }
        lines += [
            "# HELP http_request_duration_seconds Time from the request's head to the answer's.",
            "# TYPE http_request_duration_seconds histogram",
        ]
        for (key, histogram) in requests {
            for (bound, count) in zip(Self.bounds, histogram.buckets) {
                lines.append("http_request_duration_seconds_bucket{\(labels(key)),le=\"\(bound)\"} \(count)")
            }
            lines.append("http_request_duration_seconds_bucket{\(labels(key)),le=\"+Inf\"} \(histogram.count)")
            lines.append("http_request_duration_seconds_sum{\(labels(key))} \(histogram.seconds)")
            lines.append("http_request_duration_seconds_count{\(labels(key))} \(histogram.count)")
        }
        for (name, family) in state.counters.sorted(by: { $0.key < $1.key }) {
            let counts = family.values.mapValues { $0.value.load(ordering: .relaxed) }.filter { $0.value > 0 }
            guard !counts.isEmpty else { continue }
            lines += ["# HELP \(name) \(family.help)", "# TYPE \(name) counter"]
            lines += counts.sorted { $0.key < $1.key }.map { key, value in
                key.isEmpty ? "\(name) \(value)" : "\(name){\(key)} \(value)"
            }
        }
        lines += processLines()
        return lines.joined(separator: "\n") + "\n"
    }

    private func processLines() -> [String] {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        let user = Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6
        let system = Double(usage.ru_stime.tv_sec) + Double(usage.ru_stime.tv_usec) / 1e6
        let statm = (try? String(contentsOf: URL(filePath: "/proc/self/statm"), encoding: .utf8)) ?? ""
        let words = statm.split(separator: " ")
        let pages = words.count > 1 ? Int(words[1]) ?? 0 : 0
        return [
            "# HELP process_cpu_seconds_total User and system time.", "# TYPE process_cpu_seconds_total counter",
            "process_cpu_seconds_total \(user + system)",
            "# HELP process_resident_memory_bytes Resident memory.", "# TYPE process_resident_memory_bytes gauge",
            "process_resident_memory_bytes \(pages * Int(sysconf(Int32(_SC_PAGESIZE))))",
            "# HELP process_start_time_seconds Start of the program, seconds since 1970.",
            "# TYPE process_start_time_seconds gauge", "process_start_time_seconds \(startSeconds)",
        ]
    }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return text }
        return text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
