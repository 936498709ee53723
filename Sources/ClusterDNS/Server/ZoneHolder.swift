import Synchronization

/// The zone as it is now, for readers on many threads and one writer.
package final class ZoneHolder: Sendable {
    private let zone: Mutex<Zone>

    package init(_ zone: Zone) { self.zone = Mutex(zone) }

    /// A snapshot; the next one may be newer.
    package var current: Zone { zone.withLock { $0 } }

    /// Changes the zone; readers see all of the change or nothing of it.
    package func update(_ change: (inout Zone) -> Void) { zone.withLock { change(&$0) } }
}
