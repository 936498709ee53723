#if os(Linux)
import CLinux
import Glibc
import Logging
import NetTypes
import ServiceRouting

extension RelayLoop {
    /// Starts to serve a route on a bound socket; the socket stays its opener's to close.
    mutating func serve(_ route: FrontendRoute, on socket: Int32, slot: Int, choice: SharedChoice?) {
        while frontends.count <= slot { frontends.append(nil) }
        frontendGeneration &+= 1
        let place = Token.Place(index: UInt32(slot), generation: frontendGeneration)
        let frontend = ServedFrontend(place: place, socket: socket, route: route, choice: choice)
        frontends[slot] = frontend
        list(route, for: frontend)
        if route.frontend.proto == .tcp {
            if !pause.isPaused { watchListener(frontend) }
        } else {
            watch(socket, Token(.datagrams, place), Readiness.input)
        }
    }

    /// Follows a changed route from now on; nothing is dialled any more that it does not list.
    mutating func update(_ route: FrontendRoute, slot: Int, choice: SharedChoice?) {
        guard let frontend = frontends[slot] else { return }
        let old = frontend.records
        list(route, for: frontend)
        records.unlist(old)
        frontend.choice = choice
        moveFlows(of: frontend)
    }

    /// Serves no more there; established TCP connections stay.
    mutating func retire(slot: Int) {
        guard slot < frontends.count, let frontend = frontends[slot] else { return }
        unwatchListener(frontend)
        // Lets go of the socket before its owner closes it.
        engine?.ring.submitAndWait(nanoseconds: 0)
        forget(frontend)
        frontends[slot] = nil
    }

    mutating func forget(_ frontend: ServedFrontend) {
        for place in frontend.flows.values { if let flow = flows.pointer(place) { close(flow, place) } }
        frontend.flows = [:]
        records.unlist(frontend.records)
        frontend.lists = []
    }

    func frontend(_ place: Token.Place) -> ServedFrontend? {
        guard Int(place.index) < frontends.count, let frontend = frontends[Int(place.index)],
            frontend.place == place
        else { return nil }
        return frontend
    }

    private mutating func list(_ route: FrontendRoute, for frontend: ServedFrontend) {
        frontend.route = route
        frontend.lists = []
        for verdict in route.verdicts where !frontend.lists.contains(where: { $0.verdict == verdict }) {
            frontend.lists.append((verdict, records.list(verdict.endpoints, of: route.port)))
        }
    }

    mutating func watchListener(_ frontend: ServedFrontend) {
        guard engine == nil else { return startAccepting(frontend) }
        // One listener for all loops: a crowd of sockets would split the queue, and lose connections as it changes.
        watch(frontend.socket, Token(.listener, frontend.place), Readiness.input | Readiness.exclusive)
    }

    /// TCP or UDP.
    mutating func unwatchListener(_ frontend: ServedFrontend) {
        if engine != nil, frontend.route.frontend.proto == .tcp {
            stopAccepting(frontend)
        } else {
            unwatch(frontend.socket)
        }
    }
}

/// Whether a loop accepts connections, and if not, since when it has said so.
struct AcceptPause {
    /// In the queue of retries, stands for the listeners.
    static let place = Token.Place(index: .max, generation: .max)

    private(set) var isPaused = false
    /// The reason in the log; nil once a connection was accepted again.
    private(set) var announced: String?

    /// Says whether this is news.
    mutating func begin(_ reason: String) -> Bool {
        isPaused = true
        defer { announced = reason }
        return announced == nil
    }

    mutating func end() { isPaused = false }

    /// Says whether this is news.
    mutating func didAccept() -> Bool {
        defer { announced = nil }
        return announced != nil
    }
}

extension RelayLoop {
    /// Two for each relay and pipe, one for each flow.
    private var descriptorsInUse: Int { 2 * (relays.count + memory.pipeCount) + flows.count }

    /// Whether `count` more descriptors fit into the loop's share; pipes that nobody uses make room.
    mutating func hasRoom(for count: Int) -> Bool {
        if descriptorsInUse + count > descriptorShare { memory.closeSparePipes() }
        return descriptorsInUse + count <= descriptorShare
    }

    /// Why no connection is accepted now; nil when one may be.
    private mutating func reasonToPause() -> String? {
        guard relays.count < settings.maximumRelays else { return "connection limit" }
        return hasRoom(for: 2) ? nil : "limit of open files"
    }

    /// Says whether another connection may be accepted; if not, accepting is paused.
    mutating func mayAccept() -> Bool {
        guard let reason = reasonToPause() else { return true }
        pauseAccepting(reason)
        return false
    }

    /// Leaves new connections in the kernel's queues for a while.
    mutating func pauseAccepting(_ reason: String) {
        guard !pause.isPaused else { return }
        if pause.begin(reason) {
            settings.logger.warning("accepting connections is paused", metadata: ["reason": "\(reason)"])
        }
        for frontend in frontends {
            if let frontend, frontend.route.frontend.proto == .tcp { unwatchListener(frontend) }
        }
        retries.append(AcceptPause.place, now: now)
    }

    mutating func resumeAccepting() {
        guard reasonToPause() == nil else { return retries.append(AcceptPause.place, now: now) }
        pause.end()
        for frontend in frontends {
            if let frontend, frontend.route.frontend.proto == .tcp { watchListener(frontend) }
        }
    }
}
#endif
