import CLinux

/// Gives memory that a burst of work has freed back to the system, which the C library does not do by itself.
///
/// Loading 100,000 pods and looking at each once leaves a fifth of the process's memory freed and kept
/// (docs/benchmarks.md). Giving back stops other threads that allocate for some milliseconds: so it is for
/// the first work after the start, and later for bursts only.
package struct FreedMemory: Sendable {
    /// How often to look, in seconds.
    package static let interval = 2
    /// So many changes of the store are a burst.
    private static let burst: UInt64 = 20_000

    private var isStarting = true
    private var last: UInt64 = 0

    package init() {}

    /// Whether to give back now.
    ///
    /// - Parameters:
    ///   - isSettled: whether everything that follows from the store's state is done.
    ///   - revision: of the store.
    package mutating func isDue(isSettled: Bool, revision: UInt64) -> Bool {
        guard isStarting || revision >= last + Self.burst else { return false }
        if isSettled { isStarting = false }
        last = revision
        return true
    }

    /// Gives back what can be.
    package static func giveBack() { clinux_trim_memory() }
}
