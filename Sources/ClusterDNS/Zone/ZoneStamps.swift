import Synchronization

/// When which part of the zone last changed, counted in changes: tells prepared answers that are out of date without a lock.
///
/// Services share 16,384 places by hash. Two in one place cost an answer that is prepared again and never a stale one.
final class ZoneStamps: @unchecked Sendable {
    /// What an answer depends on.
    enum Part: Equatable {
        /// On one Service and on the set of namespaces.
        case service(ServiceKey)
        /// On the set of namespaces alone.
        case namespaces

        /// Where the part's stamp is; the last place is nobody's, and never stamped.
        var place: UInt16 {
            switch self {
            case .service(let key): UInt16(UInt(bitPattern: key.hashValue) % UInt(ZoneStamps.placeCount))
            case .namespaces: UInt16(ZoneStamps.placeCount)
            }
        }
    }

    private static let placeCount = 16384

    // Unchecked: the memory is allocated once and holds nothing but atomics.
    private let places: UnsafeMutablePointer<Atomic<UInt64>>
    private let everything = Atomic<UInt64>(0)
    private let latest = Atomic<UInt64>(0)
    private let latestSerial: Atomic<UInt32>

    init(serial: UInt32) {
        latestSerial = Atomic(serial)
        places = .allocate(capacity: Self.placeCount + 1)
        for place in 0...Self.placeCount { (places + place).initialize(to: Atomic(0)) }
    }

    deinit {
        places.deinitialize(count: Self.placeCount + 1)
        places.deallocate()
    }

    /// The number of the last change.
    ///
    /// To be read before the zone is, so that an answer never counts as newer than it is.
    var generation: UInt64 { latest.load(ordering: .acquiring) }

    /// The zone's serial, which answers without records carry.
    var serial: UInt32 { latestSerial.load(ordering: .relaxed) }

    /// Whether what was prepared in `generation` still stands.
    func isCurrent(_ generation: UInt64, place: UInt16) -> Bool {
        generation >= places[Int(place)].load(ordering: .acquiring)
            && generation >= everything.load(ordering: .acquiring)
    }

    /// Counts a change; called by one thread at a time.
    func advance(_ changes: ZoneChanges, serial: UInt32) {
        let next = latest.load(ordering: .relaxed) + 1
        latestSerial.store(serial, ordering: .relaxed)
        switch changes {
        case .everything: everything.store(next, ordering: .releasing)
        case .services(let keys):
            for key in keys { places[Int(Part.service(key).place)].store(next, ordering: .releasing) }
        }
        latest.store(next, ordering: .releasing)
    }
}
