/// An amount of a resource, such as `1500m` CPUs or `64Mi` of memory.
package struct Quantity: Hashable, Comparable, Sendable {
    /// Thousandths of the unit.
    package let milli: Int128

    package init(milli: Int128) { self.milli = milli }

    private static let factors: [String: Int128] = [
        "": 1000, "k": 1_000_000, "M": 1_000_000_000, "G": 1_000_000_000_000, "T": 1_000_000_000_000_000,
        "P": 1_000_000_000_000_000_000, "E": 1_000_000_000_000_000_000_000, "Ki": 1000 << 10, "Mi": 1000 << 20,
        "Gi": 1000 << 30, "Ti": 1000 << 40, "Pi": 1000 << 50, "Ei": 1000 << 60, "m": 1,
    ]

    /// Reads a decimal number with an optional suffix (`m`, `k` to `E`, `Ki` to `Ei`), or a plain number.
    ///
    /// nil for anything else, also for exponents. What is finer than a thousandth is rounded up, as Kubernetes does it.
    package init?(_ json: JSONValue?) {
        switch json {
        case .integer(let value): self.init("\(value)")
        case .number(let value): self.init("\(value)")
        case .string(let text): self.init(text)
        default: return nil
        }
    }

    package init?(_ text: String) {
        let number = text.prefix { $0.isNumber || $0 == "." || $0 == "-" || $0 == "+" }
        guard let factor = Self.factors[String(text.dropFirst(number.count))] else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, number.count <= 18, let whole = Int128(parts[0].isEmpty ? "0" : parts[0]) else {
            return nil
        }
        let decimals = parts.count == 2 ? parts[1] : ""
        guard let fraction = decimals.isEmpty ? 0 : Int128(decimals), fraction >= 0 else { return nil }
        let scale = decimals.reduce(into: Int128(1)) { scale, _ in scale *= 10 }
        let part = (fraction * factor + scale - 1) / scale
        milli = whole * factor + (parts[0].hasPrefix("-") ? -part : part)
    }

    /// How often `divisor` fits, rounded up: what a resourceFieldRef shows.
    package func divided(by divisor: Quantity) -> Int128 {
        divisor.milli <= 0 ? 0 : (milli + divisor.milli - 1) / divisor.milli
    }

    package static func < (left: Quantity, right: Quantity) -> Bool { left.milli < right.milli }
}
