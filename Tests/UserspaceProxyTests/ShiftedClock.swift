#if os(Linux)
import Synchronization
import UserspaceProxy

/// The plane's clock, set forward by a test.
final class ShiftedClock: Sendable {
    private let shift = Atomic<UInt64>(0)

    /// Nanoseconds.
    var now: @Sendable () -> UInt64 {
        { [self] in UserspaceConfiguration.monotonicClock() &+ shift.load(ordering: .relaxed) }
    }

    func advance(seconds: Int) { shift.add(UInt64(seconds) * 1_000_000_000, ordering: .relaxed) }
}
#endif
