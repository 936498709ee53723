import LocalPorts
package import Logging
import NetTypes
package import ServiceRouting
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The plane that needs no privileges: relays every connection in loops of its own threads, on io_uring, epoll or SwiftNIO.
///
/// A dial that is refused or takes too long is repeated on another endpoint, unlike in the kernel's planes (7.3).
package final class UserspacePlane: DataPlane {
    package let name = "userspace"
    private let configuration: UserspaceConfiguration
    private let carrier: any RelayCarrier
    private let hub = EventHub()
    private let state: Mutex<State>

    /// What changes; guarded by the lock.
    private struct State {
        var served: [Frontend: Served] = [:]
        var failed = UnservedFrontends()
        var choices: [ServicePortID: (timeout: Duration?, shared: SharedChoice, users: Int)] = [:]
        var freeSlots: [Int] = []
        var slots = 0
        var budget: DescriptorBudget
        /// How many descriptors each loop may use, as it was told last.
        var share = 0
        var isStopped = false
    }

    /// A frontend that is served, and by which socket.
    private struct Served {
        let route: FrontendRoute
        let socket: Int32
        let slot: Int
        let isDeaf: Bool
    }

    /// Starts the threads; nothing is served before the first ``apply(_:)``.
    ///
    /// The limit of open descriptors is raised as far as the system lets us.
    /// - Throws: UserspacePlaneFailure when the system gives no thread or descriptor.
    package init(
        configuration: UserspaceConfiguration = UserspaceConfiguration(), logger: Logger
    ) throws(UserspacePlaneFailure) {
        self.configuration = configuration
        let budget = DescriptorBudget(limit: configuration.descriptorLimit)
        let count = max(1, configuration.loops ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let share = budget.share(besides: 0) / count
        state = Mutex(State(budget: budget, share: share))
        let seed = configuration.seed ?? UInt64.random(in: .min ... .max)
        let hub = hub
        let settings = (0..<count).map { number in
            LoopSettings(
                number: number, maximumRelays: max(1, configuration.maximumConnections / count),
                maximumFlows: max(1, configuration.maximumFlows / count), descriptorShare: share,
                flowIdleTimeout: configuration.flowIdleTimeout, dialTimeouts: configuration.dialTimeouts,
                seed: seed &+ UInt64(number), clock: configuration.clock, hub: hub, logger: logger)
        }
        carrier = try Self.start(settings, configuration.engine, logger)
    }

    /// Starts the loops on the best engine that is allowed, and says in the log which and why.
    private static func start(
        _ settings: [LoopSettings], _ engine: UserspaceEngine, _ logger: Logger
    ) throws(UserspacePlaneFailure) -> any RelayCarrier {
        var reasons: [String] = []
        for candidate in engine.candidates {
            do {
                let carrier = try candidate.start(settings)
                let reason = reasons.joined(separator: "; ")
                logger.log(
                    level: reason.isEmpty ? .info : .notice, "the userspace data plane runs on \(candidate)",
                    metadata: reason.isEmpty ? [:] : ["reason": "\(reason)"])
                return carrier
            } catch {
                reasons.append("\(candidate): " + String(cString: strerror(error.code)))
            }
        }
        throw UserspacePlaneFailure(reason: reasons.joined(separator: "; "))
    }

    @discardableResult
    package func apply(_ diff: RoutingDiff) async -> [FrontendProblem] { applyNow(diff) }

    package func connectionEvents(limit: Int) -> AsyncStream<ConnectionEvent> { hub.stream(limit: limit) }

    package func counters() async -> [EndpointCounters] {
        guard !state.withLock(\.isStopped) else { return [] }
        var sums: [EndpointRecord.Key: EndpointCounters] = [:]
        for part in await carrier.counters() {
            for counters in part {
                let key = EndpointRecord.Key(port: counters.port, endpoint: counters.endpoint)
                sums[key] = sums[key].map { $0.adding(counters) } ?? counters
            }
        }
        return sums.values.sorted { ($0.port, $0.endpoint) < ($1.port, $1.endpoint) }
    }

    package func stop() async {
        let isFirst = state.withLock { state in
            guard !state.isStopped else { return false }
            state.isStopped = true
            state.served = [:]
            return true
        }
        guard isFirst else { return }
        await carrier.stop()
        hub.finish()
    }

    /// Where a frontend is really served; for tests and tools.
    package var servedFrontends: [Frontend] { state.withLock { $0.served.keys.sorted() } }

    // MARK: - Applying

    /// Changes are made one after another.
    ///
    /// The caller waits for one turn of each loop, which takes microseconds to
    /// a few milliseconds.
    private func applyNow(_ diff: RoutingDiff) -> [FrontendProblem] {
        state.withLock { state in
            guard !state.isStopped else { return [] }
            var changes: [FrontendChange] = []
            var removed = diff.removed
            if diff.isComplete {
                let wanted = Set(diff.changed.map(\.frontend))
                removed = state.served.keys.filter { !wanted.contains($0) }
                state.failed.keep(wanted)
            }
            for frontend in removed {
                state.failed[frontend] = nil
                retire(frontend, &state, &changes)
            }
            for route in diff.changed { put(route, &state, &changes) }
            let told = Set(diff.changed.map(\.frontend))
            for problem in worthTrying(&state, besides: told) { put(problem.route, &state, &changes) }
            shareDescriptors(&state, &changes)
            carrier.make(changes)
            return state.failed.list()
        }
    }

    /// What failed before and may work now: of those that lack a descriptor only as many as there are.
    private func worthTrying(_ state: inout State, besides told: Set<Frontend>) -> [FrontendProblem] {
        var room = state.budget.maximumListeners - state.served.count
        return state.failed.list().filter { problem in
            guard !told.contains(problem.route.frontend) else { return false }
            guard case .tooManyFrontends = problem.cause else { return true }
            room -= 1
            return room >= 0
        }
    }

    private func put(_ route: FrontendRoute, _ state: inout State, _ changes: inout [FrontendChange]) {
        let frontend = route.frontend
        // Refused by the kernel itself: nobody listens (7.17).
        if route.verdicts.allSatisfy({ $0 == .reject }) {
            state.failed[frontend] = nil
            return retire(frontend, &state, &changes)
        }
        let isDeaf = route.verdicts.allSatisfy { $0 == .drop }
        if let served = state.served[frontend] { return update(served, to: route, isDeaf: isDeaf, &state, &changes) }
        guard let socket = open(route, &state) else { return }
        if isDeaf { FrontendSocket.setDeaf(true, socket) }
        let slot = state.freeSlots.popLast() ?? state.slots
        state.slots = max(state.slots, slot + 1)
        let choice = self.choice(for: route, replacing: nil, &state)
        state.served[frontend] = Served(route: route, socket: socket, slot: slot, isDeaf: isDeaf)
        changes.append(.serve(route, socket: socket, slot: slot, choice: choice))
    }

    private func update(
        _ old: Served, to route: FrontendRoute, isDeaf: Bool, _ state: inout State,
        _ changes: inout [FrontendChange]
    ) {
        let choice = self.choice(for: route, replacing: old.route, &state)
        if old.isDeaf != isDeaf { FrontendSocket.setDeaf(isDeaf, old.socket) }
        let slot = old.slot
        state.served[route.frontend] = Served(route: route, socket: old.socket, slot: slot, isDeaf: isDeaf)
        changes.append(.update(route, slot: slot, choice: choice))
    }

    /// The socket of a frontend that is not served yet; nil when it cannot be had, which is noted.
    private func open(_ route: FrontendRoute, _ state: inout State) -> Int32? {
        let frontend = route.frontend
        state.budget.makeRoom(for: state.served.count + 1)
        guard state.served.count < state.budget.maximumListeners else {
            let limit = state.budget.limit
            state.failed[frontend] = FrontendProblem(route: route, cause: .tooManyFrontends(descriptorLimit: limit))
            return nil
        }
        do {
            let socket = try FrontendSocket.open(frontend)
            state.failed[frontend] = nil
            return socket
        } catch {
            // Looking for the holder reads all of /proc: once per problem is enough.
            let known = state.failed[frontend]?.cause
            let cause = error.cause {
                if case .inUse(let holder?)? = known { holder } else { PortHolder.name(of: frontend) }
            }
            state.failed[frontend] = FrontendProblem(route: route, cause: cause)
            return nil
        }
    }

    private func retire(_ frontend: Frontend, _ state: inout State, _ changes: inout [FrontendChange]) {
        guard let served = state.served.removeValue(forKey: frontend) else { return }
        changes.append(.retire(frontend, slot: served.slot))
        // May be used again at once: each loop does what it is told in order.
        state.freeSlots.append(served.slot)
        releaseChoice(of: served.route, &state)
    }

    /// Tells the loops what the listeners leave to them.
    private func shareDescriptors(_ state: inout State, _ changes: inout [FrontendChange]) {
        let share = state.budget.share(besides: state.served.count) / carrier.loopCount
        guard share != state.share else { return }
        state.share = share
        changes.append(.shareDescriptors(share))
    }

    /// What the choices for `route` remember together with the port's other frontends.
    private func choice(for route: FrontendRoute, replacing old: FrontendRoute?, _ state: inout State) -> SharedChoice?
    {
        let wasUser = old.map { remembers($0) && $0.port == route.port } ?? false
        if let old, !wasUser || !remembers(route) { releaseChoice(of: old, &state) }
        guard remembers(route) else { return nil }
        if var known = state.choices[route.port], known.timeout == route.affinity {
            if !wasUser { known.users += 1 }
            state.choices[route.port] = known
            let listed = route.reachable.union(route.serving)
            known.shared.state.withLock { $0.affinity?.retain(listed) }
            return known.shared
        }
        let users = (state.choices[route.port]?.users ?? 0) + (wasUser ? 0 : 1)
        let affinity = route.affinity.map { AffinityTable(timeout: $0, capacity: configuration.affinityCapacity) }
        let rotation = configuration.choice == .roundRobin ? Rotation() : nil
        let shared = SharedChoice(affinity: affinity, rotation: rotation)
        state.choices[route.port] = (route.affinity, shared, users)
        return shared
    }

    private func releaseChoice(of route: FrontendRoute, _ state: inout State) {
        guard remembers(route), var known = state.choices[route.port] else { return }
        known.users -= 1
        state.choices[route.port] = known.users > 0 ? known : nil
    }

    private func remembers(_ route: FrontendRoute) -> Bool {
        route.affinity != nil || configuration.choice == .roundRobin
    }
}

/// Why the plane could not start.
package struct UserspacePlaneFailure: Error, CustomStringConvertible {
    package let reason: String
    package var description: String { "the userspace data plane cannot start: \(reason)" }
}

extension EndpointCounters {
    fileprivate func adding(_ other: EndpointCounters) -> EndpointCounters {
        var sum = self
        sum.connections += other.connections
        sum.active += other.active
        sum.bytesToEndpoint += other.bytesToEndpoint
        sum.bytesToClient += other.bytesToClient
        sum.dialFailures += other.dialFailures
        return sum
    }
}
