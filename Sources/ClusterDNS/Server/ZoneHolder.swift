import Synchronization

/// The zone as it is now, for readers on many threads and one writer.
package final class ZoneHolder: Sendable {
    private let zone: Mutex<Zone>
    /// Says which prepared answers are out of date.
    let stamps: ZoneStamps

    package init(_ zone: Zone) {
        self.zone = Mutex(zone)
        stamps = ZoneStamps(serial: zone.serial)
    }

    /// A snapshot; the next one may be newer.
    package var current: Zone { zone.withLock { $0 } }

    /// Changes the zone; readers see all of the change or nothing of it.
    ///
    /// When it returns, no answer from before the change is given any more.
    package func update(_ change: (inout Zone) -> Void) {
        zone.withLock { zone in
            change(&zone)
            // Still under the lock: who reads the new generation gets the new zone.
            stamps.advance(zone.takeChanges(), serial: zone.serial)
        }
    }
}
