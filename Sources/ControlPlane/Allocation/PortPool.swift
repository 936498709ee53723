/// Node ports, each given to one Service at a time, whatever its protocol (semantics 2.4).
package struct PortPool: Sendable {
    package let range: ClosedRange<UInt16>
    private var pool: BandedPool

    /// - Parameter range: 30000...32767 unless told otherwise.
    package init(_ range: ClosedRange<UInt16> = 30000...32767) {
        self.range = range
        let size = UInt64(range.count)
        pool = BandedPool(size: size, staticSize: size <= 16 ? 0 : min(max(16, size / 32), 128))
    }

    package var count: Int { pool.count }

    package func isTaken(_ port: UInt16) -> Bool {
        range.contains(port) && pool.isTaken(UInt64(port - range.lowerBound))
    }

    /// Takes `port`; false when it is taken or outside of the range.
    package mutating func take(_ port: UInt16) -> Bool {
        range.contains(port) && pool.take(UInt64(port - range.lowerBound))
    }

    package mutating func takeAny(using random: inout some RandomNumberGenerator) -> UInt16? {
        pool.takeAny(using: &random).map { range.lowerBound + UInt16($0) }
    }

    package mutating func release(_ port: UInt16) {
        if range.contains(port) { pool.release(UInt64(port - range.lowerBound)) }
    }
}
