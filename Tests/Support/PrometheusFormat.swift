/// Checks a page in Prometheus's text format, about as strictly as `promtool check metrics`.
package enum PrometheusFormat {
    /// What is wrong with `text`, line by line; empty when nothing is.
    package static func problems(in text: String) -> [String] {
        var problems: [String] = []
        var types: [Substring: Substring] = [:]
        var current: Substring?
        var seen: Set<Substring> = []
        var buckets: [String: [(bound: String, count: Double)]] = [:]
        var counts: [String: Double] = [:]
        if !text.hasSuffix("\n") { problems.append("the last line has no end") }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                guard words.count == 4, types[words[2]] == nil else {
                    problems.append("malformed or second: \(line)")
                    continue
                }
                types[words[2]] = words[3]
                current = words[2]
                continue
            }
            if line.hasPrefix("# HELP ") { continue }
            guard let sample = Sample(line) else {
                problems.append("no sample: \(line)")
                continue
            }
            if !seen.insert(sample.series).inserted { problems.append("twice: \(line)") }
            guard let family = current, let type = types[family] else {
                problems.append("without a type: \(line)")
                continue
            }
            let suffix = sample.name.dropFirst(family.count)
            let isOwn = sample.name.hasPrefix(family)
            let allowed: Set<Substring> = type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
            if !isOwn || !allowed.contains(suffix) { problems.append("outside of its family \(family): \(line)") }
            if type == "counter", !family.hasSuffix("_total") { problems.append("a counter is \(family)_total") }
            if type == "histogram" {
                let key = String(family) + sample.otherLabels
                if suffix == "_bucket" { buckets[key, default: []].append((sample.bound, sample.value)) }
                if suffix == "_count" { counts[key] = sample.value }
            }
        }
        for (key, list) in buckets {
            if zip(list, list.dropFirst()).contains(where: { $0.count > $1.count }) {
                problems.append("falling buckets: \(key)")
            }
            if list.last?.bound != "+Inf" || list.last?.count != counts[key] {
                problems.append("the last bucket is not the count: \(key)")
            }
        }
        return problems
    }

    private struct Sample {
        let series: Substring
        let name: Substring
        let value: Double
        let bound: String
        let otherLabels: String

        init?(_ line: Substring) {
            guard let match = line.wholeMatch(of: /(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})?) ([^ ]+)/),
                let value = Double(match.5)
            else { return nil }
            var bound = ""
            var others = ""
            var rest = match.4 ?? ""
            while !rest.isEmpty {
                guard let label = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(,|$)/) else {
                    return nil
                }
                if label.1 == "le" { bound = String(label.2) } else { others += label.0 }
                rest = rest[label.range.upperBound...]
            }
            series = match.1
            name = match.2
            self.value = value
            self.bound = bound
            otherLabels = others
        }
    }
}
