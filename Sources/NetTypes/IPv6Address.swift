/// An IPv6 address, kept as two halves of 64 bits in host byte order.
///
/// Text in is any form of RFC 4291 section 2.2 without a zone; text out is the canonical form of RFC 5952.
package struct IPv6Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads up to eight groups of hexadecimal digits, with at most one `::` and perhaps an IPv4 tail; nil otherwise.
    package init?(_ text: some StringProtocol) {
        var groups = String(text).split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard groups.count >= 3, groups.count <= 9 else { return nil }
        // A leading or trailing "::" gives two empty parts at that end; one of them stands for nothing.
        if groups[0].isEmpty {
            guard groups[1].isEmpty else { return nil }
            groups.removeFirst()
        }
        if groups[groups.count - 1].isEmpty {
            guard groups.count >= 2, groups[groups.count - 2].isEmpty || groups.count == 1 else { return nil }
            if groups.count > 1 { groups.removeLast() }
        }
        var words: [UInt16] = []
        var gap: Int?
        for (index, group) in groups.enumerated() {
            if group.isEmpty {
                guard gap == nil else { return nil }
                gap = words.count
            } else if index == groups.count - 1, group.contains(".") {
                guard let tail = IPv4Address(group) else { return nil }
                words += [UInt16(tail.bits >> 16), UInt16(tail.bits & 0xFFFF)]
            } else {
                guard group.utf8.count <= 4, group.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
                    let word = UInt16(group, radix: 16)
                else { return nil }
                words.append(word)
            }
        }
        if let gap {
            guard words.count < 8 else { return nil }
            words.insert(contentsOf: repeatElement(0, count: 8 - words.count), at: gap)
        }
        guard words.count == 8 else { return nil }
        high = words[..<4].reduce(0) { $0 << 16 | UInt64($1) }
        low = words[4...].reduce(0) { $0 << 16 | UInt64($1) }
    }

    /// The sixteen octets in network order.
    package var octets: [UInt8] {
        [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - $0 * 8)) } }
    }

    /// The IPv4 address inside `::ffff:a.b.c.d`; nil for other addresses.
    package var mappedIPv4: IPv4Address? {
        high == 0 && low >> 32 == 0xFFFF ? IPv4Address(bits: UInt32(truncatingIfNeeded: low)) : nil
    }

    package var description: String {
        if let mapped = mappedIPv4 { return "::ffff:\(mapped)" }
        let words = [high, low].flatMap { half in
            (0..<4).map { UInt16(truncatingIfNeeded: half >> UInt64(48 - $0 * 16)) }
        }
        // The longest run of two or more zero groups, the first of equals, becomes "::".
        var best = 0..<0
        var start: Int?
        for index in 0...8 {
            if index < 8, words[index] == 0 {
                start = start ?? index
            } else if let from = start {
                if index - from > max(1, best.count) { best = from..<index }
                start = nil
            }
        }
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        return best.isEmpty
            ? text(words[...]) : "\(text(words[..<best.lowerBound]))::\(text(words[best.upperBound...]))"
    }

    package static func < (left: IPv6Address, right: IPv6Address) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
