/// Numbers from 0, of which the low ones are kept for those who ask for one by name (KEP-3070; semantics 2.3, 2.4).
///
/// A dynamic request starts at a random place of the upper band, walks up and around in it, and only then takes from the
/// lower band in the same way.
package struct BandedPool: Sendable {
    /// How many numbers there are.
    package let size: UInt64
    /// How many of them, from 0, are the static band.
    package let staticSize: UInt64
    private var taken: Set<UInt64> = []
    private var takenStatic: UInt64 = 0

    package init(size: UInt64, staticSize: UInt64) {
        self.size = size
        self.staticSize = min(staticSize, size)
    }

    package var count: Int { taken.count }

    package func isTaken(_ number: UInt64) -> Bool { taken.contains(number) }

    /// Takes `number`; false when it is taken or outside.
    package mutating func take(_ number: UInt64) -> Bool {
        guard number < size, taken.insert(number).inserted else { return false }
        if number < staticSize { takenStatic += 1 }
        return true
    }

    /// Takes a free number; nil when there is none.
    package mutating func takeAny(using random: inout some RandomNumberGenerator) -> UInt64? {
        let takenDynamic = UInt64(taken.count) - takenStatic
        if takenDynamic < size - staticSize { return takeAny(in: staticSize..<size, using: &random) }
        if takenStatic < staticSize { return takeAny(in: 0..<staticSize, using: &random) }
        return nil
    }

    /// Makes `number` free again; nothing happens when it is.
    package mutating func release(_ number: UInt64) {
        guard taken.remove(number) != nil else { return }
        if number < staticSize { takenStatic -= 1 }
    }

    /// The band has a free number, so the walk ends.
    private mutating func takeAny(in band: Range<UInt64>, using random: inout some RandomNumberGenerator) -> UInt64 {
        var number = UInt64.random(in: band, using: &random)
        while taken.contains(number) {
            number += 1
            if number == band.upperBound { number = band.lowerBound }
        }
        _ = take(number)
        return number
    }
}
