#if os(Linux)
import FoundationEssentials
import Glibc
package import Logging
import NetTypes
package import ServiceRouting
import Synchronization

/// The plane in which the kernel forwards: this process only keeps its tables.
///
/// The rules are in ``Ruleset``. A dead endpoint that is still listed means a failed connection, as in kube-proxy: the
/// kernel dials nobody twice (7.3).
package final class NFTablesPlane: DataPlane {
    package let name = "nftables"
    let table: String
    private let library: NFTLibrary
    private let exemptAddresses: Set<IPAddress>
    private let firstMark: UInt32
    /// The empty tables, as text for libnftables.
    private let base: String
    let logger: Logger
    let state: Mutex<State>
    let hub = Mutex<EventHub?>(nil)
    let watch = Mutex<ConnectionWatch?>(nil)

    /// What changes; guarded by the lock.
    struct State: ~Copyable {
        var socket: NetlinkSocket
        var rules: RulesetState
        /// What shall be served; the kernel has it unless `failure` says otherwise.
        var wanted: [Frontend: FrontendRoute] = [:]
        var reserved: [Frontend: Reservation] = [:]
        /// Frontends that somebody else has, to be tried again.
        var blocked: [Frontend: FrontendProblem] = [:]
        /// Why the kernel has not what it should.
        var failure: String?
        /// Connections counted in elements that are gone.
        var retired: [CounterKey: UInt64] = [:]
        var isStopped = false
    }

    /// A port kept in a dictionary, which holds no non-copyable values.
    final class Reservation {
        let port: ReservedPort
        init(_ port: consuming ReservedPort) { self.port = port }
    }

    /// An endpoint of a Service port, by which connections are counted.
    struct CounterKey: Hashable {
        let port: ServicePortID
        let endpoint: SocketEndpoint
    }

    /// Puts empty tables in place of what an earlier run may have left.
    ///
    /// - Throws: ``NFTablesPlaneFailure`` with the remedy.
    package init(
        configuration: NFTablesConfiguration = NFTablesConfiguration(), logger: Logger
    ) throws(NFTablesPlaneFailure) {
        guard let library = NFTLibrary(configuration.library) else { throw .libraryMissing(configuration.library) }
        guard Self.hasNetAdmin else { throw .notPermitted }
        for family in configuration.forwardedFamilies {
            let setting = family == .v4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"
            if Self.isOff(setting) { throw .notForwarding(setting: setting) }
        }
        self.library = library
        exemptAddresses = configuration.exemptAddresses
        self.logger = logger
        table = configuration.table
        let socket: NetlinkSocket
        do { socket = try Self.connected() } catch {
            throw error.code == EPERM ? .notPermitted : .kernel("connection tracking: \(error.reason)")
        }
        base = Ruleset.base(
            table: table, exempt: configuration.exemptAddresses, classes: 2 + configuration.otherNodes)
        // Of a run with another plane that was killed; this one has rules of its own for it.
        try? library.run(Ruleset.silenceRemoval)
        do { try library.run(base) } catch {
            throw error.reason.contains("Operation not permitted") ? .notPermitted : .kernel(error.reason)
        }
        firstMark = Ruleset.firstMark(instance: configuration.instance)
        state = Mutex(State(socket: socket, rules: RulesetState(firstMark: firstMark)))
        hub.withLock { hub in
            hub = EventHub { [weak self] isReading in self?.setReading(isReading) }
        }
    }

    @discardableResult
    package func apply(_ diff: RoutingDiff) async -> [FrontendProblem] {
        state.withLock { state in
            guard !state.isStopped else { return [] }
            return apply(diff, &state)
        }
    }

    package func counters() async -> [EndpointCounters] {
        state.withLock { state in
            guard !state.isStopped else { return [] }
            return counters(&state)
        }
    }

    package func stop() async {
        // What has happened so far is still told.
        watch.withLock { $0 }?.stop()
        hub.withLock { $0 }?.finish()
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            state.reserved = [:]
            let flows = state.rules.served.keys.filter { $0.proto == .udp }
            do { try library.run(Ruleset.removal(table: table)) } catch {
                logger.error("the tables \(table) of nftables could not be removed: \(error)")
            }
            // Flows whose rules are gone end by themselves soon, if this fails.
            try? moveFlows(Dictionary(uniqueKeysWithValues: flows.map { ($0, []) }), &state)
        }
    }

    // MARK: - Applying

    private func apply(_ diff: RoutingDiff, _ state: inout State) -> [FrontendProblem] {
        var removed = diff.removed
        if diff.isComplete {
            let wanted = Set(diff.changed.map(\.frontend))
            removed = Set(state.wanted.keys).union(state.blocked.keys).subtracting(wanted).sorted()
        }
        for frontend in removed {
            state.wanted[frontend] = nil
            state.blocked[frontend] = nil
            state.reserved[frontend] = nil
        }
        var changed: [FrontendRoute] = []
        var again = state.blocked
        for route in diff.changed { again[route.frontend] = nil }
        state.wanted.reserveCapacity(state.wanted.count + diff.changed.count)
        for route in diff.changed + again.values.map(\.route)
        where !exemptAddresses.contains(route.frontend.address.address) {
            guard reserve(route, &state) else { continue }
            state.wanted[route.frontend] = route
            changed.append(route)
        }
        if state.failure == nil {
            do { try change(removed, changed, &state) } catch {
                logger.warning("nftables refused a change (\(error.reason)); writing all rules anew")
                state.failure = error.reason
            }
        }
        if state.failure != nil { rebuild(&state) }
        var problems = Array(state.blocked.values)
        if let failure = state.failure {
            problems += state.wanted.values.map { FrontendProblem(route: $0, cause: .other("nftables: \(failure)")) }
        }
        return problems.sorted { $0.route.frontend < $1.route.frontend }
    }

    /// Whether the frontend may be served: where others could listen, the port must be ours.
    private func reserve(_ route: FrontendRoute, _ state: inout State) -> Bool {
        let frontend = route.frontend
        guard ReservedPort.isNeeded(for: route) else {
            state.reserved[frontend] = nil
            return true
        }
        if state.reserved[frontend] != nil { return true }
        do {
            state.reserved[frontend] = Reservation(try ReservedPort(frontend))
            state.blocked[frontend] = nil
            return true
        } catch {
            state.blocked[frontend] = FrontendProblem(route: route, cause: error.cause)
            return false
        }
    }

    /// The kernel's reason for not making a change.
    private struct Refusal: Error {
        let reason: String
    }

    private func change(_ removed: [Frontend], _ changed: [FrontendRoute], _ state: inout State) throws(Refusal) {
        let transaction = state.rules.apply(removed: removed, changed: changed)
        do throws(NetlinkSocket.Failure) {
            for step in transaction.steps {
                retire(step.removed, transaction.oldPorts, &state)
                for part in step.parts { try state.socket.commit(part, table: table) }
            }
            try forgetClients(transaction.narrowed, &state)
            try moveFlows(transaction.movedFlows, &state)
        } catch {
            throw Refusal(reason: error.reason)
        }
    }

    /// Writes everything anew, for example after somebody flushed all tables.
    private func rebuild(_ state: inout State) {
        state.rules = RulesetState(firstMark: firstMark)
        do {
            try library.run(base)
            let routes = state.wanted.values.sorted { $0.frontend < $1.frontend }
            try change([], routes, &state)
            state.failure = nil
        } catch let error as NFTLibrary.Failure {
            state.failure = error.reason
        } catch let error as Refusal {
            state.failure = error.reason
        } catch {
            state.failure = "\(error)"
        }
    }

    /// A socket with which connections could be listed.
    private static func connected() throws(NetlinkSocket.Failure) -> NetlinkSocket {
        var socket = try NetlinkSocket()
        try socket.ask(.dumpConnections)
        return socket
    }

    /// Without `/proc/sys` nobody can tell, and the answer is no.
    private static func isOff(_ setting: String) -> Bool {
        let path = "/proc/sys/" + setting.split(separator: ".").joined(separator: "/")
        return (try? String(contentsOf: URL(filePath: path), encoding: .utf8))?.first == "0"
    }

    /// Whether this process has CAP_NET_ADMIN, which is bit 12 of the effective set.
    static var hasNetAdmin: Bool {
        let status = (try? String(contentsOf: URL(filePath: "/proc/thread-self/status"), encoding: .utf8)) ?? ""
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
            let bits = UInt64(line.dropFirst(7).filter { !$0.isWhitespace }, radix: 16)
        else { return geteuid() == 0 }
        return bits & (1 << 12) != 0
    }
}
#endif
