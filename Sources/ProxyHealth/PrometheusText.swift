/// Metrics in Prometheus's text format (version 0.0.4): families with help and type, each with its samples.
package struct PrometheusText: Sendable {
    /// What kind of number a family has.
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// Everything so far; each line ends with a newline.
    package private(set) var text = ""

    package init() {}

    /// Begins a family; all of its samples have to follow.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// One sample; label values may hold anything, and need to be few.
    package mutating func sample(
        _ name: String, _ labels: KeyValuePairs<String, String> = [:], _ value: some CustomStringConvertible
    ) {
        text += name
        if !labels.isEmpty {
            let words = labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            text += "{" + words.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    /// A family with one sample without labels.
    package mutating func single(
        _ name: String, _ kind: Kind, _ help: String, _ value: some CustomStringConvertible
    ) {
        family(name, kind, help)
        sample(name, value)
    }

    /// A family with one histogram without labels.
    package mutating func single(_ name: String, _ help: String, _ histogram: Histogram) {
        family(name, .histogram, help)
        var sum: UInt64 = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            sum += count
            sample(name + "_bucket", ["le": Self.number(bound)], sum)
        }
        sample(name + "_bucket", ["le": "+Inf"], histogram.count)
        sample(name + "_sum", histogram.sum)
        sample(name + "_count", histogram.count)
    }

    private mutating func sample(_ name: String, _ value: some CustomStringConvertible) { sample(name, [:], value) }

    /// `1` and not `1.0`, as other exporters write bounds.
    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

/// How often a value fell between which bounds.
package struct Histogram: Sendable, Hashable {
    /// Upper bounds in ascending order; the last bucket, without a bound, is not among them.
    package let bounds: [Double]
    /// One count per bound, not summed up.
    package private(set) var counts: [UInt64]
    package private(set) var count: UInt64 = 0
    package private(set) var sum = 0.0

    package init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count)
    }

    /// Counts one value, in the unit of the bounds.
    package mutating func observe(_ value: Double) {
        if let bucket = bounds.firstIndex(where: { value <= $0 }) { counts[bucket] += 1 }
        count += 1
        sum += value
    }
}
