#if os(Linux)
import CSocketProxy

/// The maps that hold the routes, of one size, and the programs that read them.
struct KernelTables: Sendable {
    /// What fits.
    ///
    /// Hash maps cost the kernel 16 bytes for each place, and more only for what is there.
    struct Capacity: Equatable, Sendable {
        var routes: Int
        var endpoints: Int
        var slots: Int

        func covers(_ other: Capacity) -> Bool {
            routes >= other.routes && endpoints >= other.endpoints && slots >= other.slots
        }

        /// Each as large as asked for, at least doubled until it is.
        func grown(to needed: Capacity) -> Capacity {
            func grown(_ size: Int, _ needed: Int) -> Int {
                var size = max(1, size)
                while size < needed { size *= 2 }
                return size
            }
            return Capacity(
                routes: grown(routes, needed.routes), endpoints: grown(endpoints, needed.endpoints),
                slots: grown(slots, needed.slots))
        }
    }

    let capacity: Capacity
    let maps: [String: BPFDescriptor]
    let programs: [String: BPFDescriptor]
    private let frontends: BPFMap<sp_frontend, sp_route>
    private let slots: BPFMap<sp_slot, UInt32>
    private let endpoints: BPFMap<UInt32, sp_endpoint>
    private let counts: BPFMap<UInt32, sp_counters>

    /// The maps that programs of every size have in common.
    static let sharedMaps = ["affinity", "connections", "peers", "flows", "replies", "settings", "events"]

    init(
        _ loader: ProgramLoader, capacity: Capacity, shared: [String: BPFDescriptor] = [:]
    ) throws(SocketPlaneFailure) {
        self.capacity = capacity
        let maps = try loader.maps(
            entries: [
                "frontends": UInt32(capacity.routes), "slots": UInt32(capacity.slots),
                "endpoints": UInt32(capacity.endpoints), "counts": UInt32(capacity.endpoints),
            ], shared: shared)
        self.maps = maps
        func map(_ name: String) throws(SocketPlaneFailure) -> BPFDescriptor {
            guard let map = maps[name] else { throw .kernel("the map \(name) is missing") }
            return map
        }
        frontends = BPFMap(try map("frontends"))
        slots = BPFMap(try map("slots"))
        endpoints = BPFMap(try map("endpoints"))
        counts = BPFMap(try map("counts"))
        programs = try loader.programs(maps)
    }

    /// Makes the change effective for the next call of a program.
    func perform(_ change: RouteChange) throws(BPFError) {
        switch change {
        case .addEndpoint(let number, let endpoint):
            try counts.set(number, sp_counters(connections: 0, active: 0))
            try endpoints.set(number, sp_endpoint(endpoint))
        case .addSlot(let list, let index, let endpoint):
            try slots.set(sp_slot(list: list, index: index), endpoint)
        case .addMember(let list, let endpoint):
            try slots.set(sp_slot(list: list, index: SP_LISTED | endpoint), endpoint)
        case .setRoute(let frontend, let record): try frontends.set(sp_frontend(frontend), sp_route(record))
        case .removeRoute(let frontend): try frontends.remove(sp_frontend(frontend))
        case .removeSlot(let list, let index): try slots.remove(sp_slot(list: list, index: index))
        case .removeMember(let list, let endpoint):
            try slots.remove(sp_slot(list: list, index: SP_LISTED | endpoint))
        // The counters stay for as long as connections do.
        case .removeEndpoint(let number): try endpoints.remove(number)
        }
    }

    /// Connections so far and those open, of these maps' time.
    func counters(_ number: UInt32) -> sp_counters {
        counts.get(number, room: sp_counters()) ?? sp_counters(connections: 0, active: 0)
    }

    func addCounters(_ number: UInt32) throws(BPFError) {
        try counts.set(number, sp_counters(connections: 0, active: 0))
    }

    func removeCounters(_ number: UInt32) throws(BPFError) { try counts.remove(number) }
}
#endif
