#if os(Linux)
import CSocketProxy
import FoundationEssentials
import NetTypes
import ServiceRouting

extension SocketPlane {
    /// What the plane has in the kernel, and what it knows of it; guarded by the plane's lock.
    struct State {
        var routes: PublishedRoutes
        let loader: ProgramLoader
        var tables: KernelTables
        let attachment: ProgramAttachment
        /// Empty while no program is attached: after ``stop()``, and after a failure.
        var links: [ProgramKind: BPFDescriptor]
        var isStopped = false
        private var tallies: [UInt32: Tally] = [:]
        private var generation: UInt64 = 0

        init(
            routes: PublishedRoutes, loader: ProgramLoader, tables: KernelTables, attachment: ProgramAttachment,
            links: [ProgramKind: BPFDescriptor]
        ) {
            self.routes = routes
            self.loader = loader
            self.tables = tables
            self.attachment = attachment
            self.links = links
        }
    }

    /// What is known of an endpoint; kept while it serves or has connections.
    private struct Tally {
        let key: PublishedRoutes.EndpointKey
        var endpoint: RoutedEndpoint
        /// What earlier maps have counted.
        var before = sp_counters(connections: 0, active: 0)
        /// The change with which it stopped to serve.
        var retired: UInt64?
    }
}

extension SocketPlane.State {
    /// Brings the kernel's maps to what the routes say; larger maps where these do not suffice.
    mutating func write(_ update: PublishedRoutes.Update, refusing: [UInt32: RefusingPort]) throws {
        generation += 1
        var needed = KernelTables.Capacity(
            routes: routes.routeCount, endpoints: tallies.count + refusing.count, slots: routes.slotCount)
        for change in update.changes {
            switch change {
            case .addEndpoint: needed.endpoints += 1
            // What goes is removed last, so for a moment both are there.
            case .removeSlot, .removeMember: needed.slots += 1
            case .removeRoute: needed.routes += 1
            default: break
            }
        }
        for (number, (key, endpoint)) in update.named {
            if tallies[number] == nil { tallies[number] = SocketPlane.Tally(key: key, endpoint: endpoint) }
            tallies[number]?.endpoint = endpoint
        }
        for number in update.retired.keys { tallies[number]?.retired = generation }
        if links.isEmpty || !tables.capacity.covers(needed) {
            try replaceTables(tables.capacity.grown(to: needed), refusing)
        } else {
            for change in update.changes { try tables.perform(change) }
        }
    }

    /// Fills new maps with everything and exchanges the programs, which read the old maps until that very moment.
    private mutating func replaceTables(_ capacity: KernelTables.Capacity, _ refusing: [UInt32: RefusingPort]) throws {
        let shared = tables.maps.filter { KernelTables.sharedMaps.contains($0.key) }
        let fresh = try KernelTables(loader, capacity: capacity, shared: shared)
        for (number, port) in refusing { try fresh.perform(.addEndpoint(number, port.endpoint)) }
        for number in tallies.keys { try fresh.addCounters(number) }
        for change in routes.everything { try fresh.perform(change) }
        if links.isEmpty {
            links = try attachment.attach(fresh.programs)
        } else {
            try attachment.exchange(links, for: fresh.programs)
        }
        for number in tallies.keys {
            let counted = tables.counters(number)
            tallies[number]?.before.connections += counted.connections
            tallies[number]?.before.active += counted.active
        }
        tables = fresh
    }

    /// Lets go of endpoints that are gone and have no connection; one change later, so that their last events have a name.
    mutating func forgetRetired() {
        for (number, tally) in tallies {
            guard let retired = tally.retired, retired < generation, active(number, tally) <= 0 else { continue }
            tallies[number] = nil
            try? tables.removeCounters(number)
        }
    }

    /// Connections so far and those open; endpoints that are gone only while they have some.
    func counters() -> [(PublishedRoutes.EndpointKey, connections: UInt64, active: UInt64)] {
        tallies.compactMap { number, tally in
            let active = active(number, tally)
            guard tally.retired == nil || active > 0 else { return nil }
            let connections = tally.before.connections + tables.counters(number).connections
            return (tally.key, UInt64(clamping: connections), UInt64(clamping: active))
        }
    }

    private func active(_ number: UInt32, _ tally: SocketPlane.Tally) -> Int64 {
        tally.before.active + tables.counters(number).active
    }

    /// nil when the endpoint is long gone.
    func event(_ record: sp_event) -> ConnectionEvent? {
        guard let tally = tallies[record.endpoint] else { return nil }
        let reason: ChoiceReason =
            switch sp_reason(rawValue: record.reason) {
            case SP_AFFINITY: .affinity(left: .nanoseconds(Int64(clamping: record.affinity_left)))
            case SP_ONLY_READY_ENDPOINT: .onlyReadyEndpoint
            case SP_TERMINATING_FALLBACK: .terminatingFallback
            default: .random
            }
        return ConnectionEvent(
            client: SocketEndpoint(address: record.client.address, port: UInt16(bigEndian: record.client_port)),
            frontend: record.frontend.frontend, port: tally.key.port, endpoint: tally.endpoint, reason: reason,
            process: Self.process(record))
    }

    private static func process(_ record: sp_event) -> ClientProcess? {
        guard record.process != 0 else { return nil }
        var command = withUnsafeBytes(of: record.command) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if command.isEmpty {
            let name = try? String(contentsOf: URL(filePath: "/proc/\(record.process)/comm"), encoding: .utf8)
            command = (name ?? "").filter { !$0.isNewline }
        }
        return ClientProcess(id: Int32(bitPattern: record.process), command: command)
    }
}
#endif
