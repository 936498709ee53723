#if os(Linux)
import CSocketProxy
import Glibc
import LinuxKernel
package import Logging
import NetTypes
package import ServiceRouting
import Synchronization

/// The plane for clients on this machine: eBPF programs put an endpoint in place of the frontend at connect().
///
/// Nothing happens per packet. Whatever the programs cannot decide, and whoever is outside the control group or in another
/// network namespace, is served by the plane beneath, which gets every change as well. The programs are held by
/// descriptors of this process: when it ends, in whatever way, they are gone.
package final class SocketPlane: DataPlane {
    package let name = "socket"
    private let beneath: any DataPlane
    private let logger: Logger
    private let state: Mutex<State>
    private let settings: Mutex<sp_settings>
    private let settingsMap: BPFMap<UInt32, sp_settings>
    private let ring: Mutex<RingBuffer>
    private let ringDescriptor: BPFDescriptor
    private let refusing: [UInt32: RefusingPort]
    private let mover: FlowMover
    private let reader = Mutex<EventThread?>(nil)
    private let hub = Mutex<EventHub?>(nil)

    /// Loads the programs and attaches them; no frontend is served before the first ``apply(_:)``.
    ///
    /// - Parameter makeBeneath: makes what serves whatever the programs leave alone, once all else is known to work; it is
    ///   stopped together with this plane.
    /// - Throws: ``SocketPlaneFailure`` that says what is missing, with the remedy, or what `makeBeneath` throws.
    package init(
        configuration: SocketConfiguration = SocketConfiguration(), beneath makeBeneath: () throws -> any DataPlane,
        logger: Logger
    ) throws {
        let release = KernelRelease.current
        guard KernelRelease.isNewEnough(release) else { throw SocketPlaneFailure.kernelTooOld(release) }
        self.logger = logger
        let group = BPFDescriptor(try ControlGroup.open(configuration.controlGroup))
        let loader = try ProgramLoader(refusesByItself: configuration.refusesByItself)
        let first = configuration.firstCapacity
        let tables = try KernelTables(
            loader,
            capacity: KernelTables.Capacity(routes: first.routes, endpoints: first.endpoints, slots: first.slots))
        func map(_ name: String) throws(SocketPlaneFailure) -> BPFDescriptor {
            guard let map = tables.maps[name] else { throw .kernel("the map \(name) is missing") }
            return map
        }
        settingsMap = BPFMap(try map("settings"))
        ringDescriptor = try map("events")
        ring = Mutex(try RingBuffer(ringDescriptor, size: 256 * 1024))
        mover = FlowMover(peers: BPFMap(try map("peers")))
        var refusing: [UInt32: RefusingPort] = [:]
        refusing[UInt32(SP_REFUSING_IPV4)] = RefusingPort(.v4)
        refusing[UInt32(SP_REFUSING_IPV6)] = RefusingPort(.v6)
        self.refusing = refusing
        var settings = sp_settings()
        settings.network_namespace = try Self.networkNamespace()
        self.settings = Mutex(settings)
        let attachment = ProgramAttachment(group: group)
        try settingsMap.set(0, settings)
        for (number, port) in refusing { try tables.perform(.addEndpoint(number, port.endpoint)) }
        let links = try attachment.attach(tables.programs)
        beneath = try makeBeneath()
        state = Mutex(
            State(
                routes: PublishedRoutes(exempt: configuration.exemptAddresses), loader: loader, tables: tables,
                attachment: attachment, links: links))
        hub.withLock { hub in
            hub = EventHub { [weak self] isReading in self?.setReading(isReading) }
        }
    }

    /// What the kernel calls this network namespace.
    private static func networkNamespace() throws(SocketPlaneFailure) -> UInt64 {
        let probe = BPFDescriptor(socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        var cookie: UInt64 = 0
        var length = socklen_t(MemoryLayout<UInt64>.size)
        guard getsockopt(probe.number, SOL_SOCKET, CSOCKETPROXY_SO_NETNS_COOKIE, &cookie, &length) == 0 else {
            throw .kernel("asking for the network namespace: \(String(cString: strerror(errno)))")
        }
        return cookie
    }

    // MARK: - Changes

    /// Calls have to come one after another, as the route follower's do.
    @discardableResult
    package func apply(_ diff: RoutingDiff) async -> [FrontendProblem] {
        // First, so that whoever is no longer served here finds it ready.
        let problems = await beneath.apply(diff)
        return state.withLock { state in
            guard !state.isStopped else { return problems }
            let update = state.routes.apply(diff, unserved: Set(problems.map(\.route.frontend)))
            do {
                try state.write(update, refusing: refusing)
            } catch {
                // Without programs everybody is served by the plane beneath; the next change tries again.
                state.links = [:]
                logger.warning(
                    "the socket plane is out of order, the one beneath serves alone", metadata: ["reason": "\(error)"])
            }
            move(update, state)
            state.forgetRetired()
            // An address that other machines cannot reach anyway is no problem for clients here.
            return problems.filter { problem in
                !(problem.cause == .noSuchAddress && state.routes.isPublished(problem.route.frontend))
            }
        }
    }

    private func move(_ update: PublishedRoutes.Update, _ state: borrowing State) {
        let retired = update.retired.filter { $0.value.port.proto == .udp }
        var addresses = Set(retired.values.map(\.endpoint))
        if !update.recovered.isEmpty { addresses.formUnion(refusing.values.map(\.endpoint)) }
        guard !addresses.isEmpty else { return }
        setMover(csocketproxy_thread())
        let outcome = mover.move(connectedTo: addresses) { peer in
            retired[peer.number] != nil
                || (refusing[peer.number] != nil && update.recovered.contains(peer.frontend.frontend))
        }
        setMover(0)
        if outcome.unreachable > 0 {
            logger.notice(
                "datagram sockets of programs out of reach stay with an endpoint that is gone",
                metadata: ["sockets": "\(outcome.unreachable)"])
        }
    }

    // MARK: - What happened

    package func connectionEvents(limit: Int) -> AsyncStream<ConnectionEvent> {
        guard let hub = hub.withLock({ $0 }) else { return AsyncStream { $0.finish() } }
        return hub.stream(limit: limit, also: beneath.connectionEvents(limit: limit))
    }

    /// The programs' part knows connections, not bytes: it sees no packet.
    package func counters() async -> [EndpointCounters] {
        var sums: [PublishedRoutes.EndpointKey: EndpointCounters] = [:]
        for counters in await beneath.counters() {
            sums[PublishedRoutes.EndpointKey(port: counters.port, endpoint: counters.endpoint)] = counters
        }
        for (key, connections, active) in state.withLock({ $0.counters() }) {
            var sum = sums[key] ?? EndpointCounters(port: key.port, endpoint: key.endpoint)
            sum.connections += connections
            sum.active += active
            sums[key] = sum
        }
        return sums.values.sorted { ($0.port, $0.endpoint) < ($1.port, $1.endpoint) }
    }

    package func stop() async {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            state.links = [:]
            return !state.isStopped
        }
        if isFirst {
            reader.withLock { reader in
                defer { reader = nil }
                return reader
            }?.stop()
            drain()
            hub.withLock { $0 }?.finish()
        }
        await beneath.stop()
    }

    /// Sets the clock of affinity forward; for tests.
    package func shiftClock(by shift: Duration) {
        change { $0.clock_shift &+= UInt64(shift.components.seconds) &* 1_000_000_000 }
    }

    private func setMover(_ thread: UInt32) { change { $0.mover = thread } }

    private func setReading(_ isReading: Bool) {
        if isReading {
            reader.withLock { reader in
                guard reader == nil else { return }
                reader = EventThread(watching: ringDescriptor.number) { [weak self] in self?.drain() }
            }
        }
        change { $0.events = isReading ? 1 : 0 }
    }

    private func change(_ body: (inout sp_settings) -> Void) {
        settings.withLock { settings in
            body(&settings)
            do throws(BPFError) {
                try settingsMap.set(0, settings)
            } catch {
                logger.error("\(error)")
            }
        }
    }

    private func drain() {
        var records: [sp_event] = []
        ring.withLock { ring in
            ring.read { bytes in
                guard bytes.count >= MemoryLayout<sp_event>.size else { return }
                records.append(bytes.loadUnaligned(as: sp_event.self))
            }
        }
        guard !records.isEmpty, let hub = hub.withLock({ $0 }) else { return }
        let events = state.withLock { state in records.compactMap { state.event($0) } }
        for event in events { hub.send(event) }
    }
}
#endif
