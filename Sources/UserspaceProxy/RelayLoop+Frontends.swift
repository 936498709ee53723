#if os(Linux)
import CLinux
import Glibc
import Logging
import NetTypes
import ServiceRouting

extension RelayLoop {
    /// Starts to serve a route on a bound socket; the socket stays its opener's to close.
    mutating func serve(_ route: FrontendRoute, on socket: Int32, slot: Int, choice: SharedChoice?) {
        frontendGeneration &+= 1
        let place = Token.Place(index: UInt32(slot), generation: frontendGeneration)
        let frontend = ServedFrontend(place: place, socket: socket, route: route, choice: choice)
        frontends.put(frontend)
        records.list(route, for: frontend)
        if route.frontend.proto == .tcp {
            if !pause.isPaused { watchListener(frontend) }
        } else {
            watch(socket, Token(.datagrams, place), Readiness.input)
        }
    }

    /// Follows a changed route from now on; nothing is dialled any more that it does not list.
    mutating func update(_ route: FrontendRoute, slot: Int, choice: SharedChoice?) {
        guard let frontend = frontends[slot] else { return }
        records.relist(route, for: frontend)
        frontend.choice = choice
        moveFlows(of: frontend)
    }

    /// Serves no more there; established TCP connections stay.
    mutating func retire(slot: Int) {
        guard let frontend = frontends.remove(slot) else { return }
        unwatchListener(frontend)
        // Lets go of the socket before its owner closes it.
        engine?.ring.submitAndWait(nanoseconds: 0)
        forget(frontend)
    }

    mutating func forget(_ frontend: ServedFrontend) {
        for place in frontend.flows.values { if let flow = flows.pointer(place) { close(flow, place) } }
        frontend.flows = [:]
        records.unlist(frontend)
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
        for frontend in frontends.all where frontend.route.frontend.proto == .tcp { unwatchListener(frontend) }
        retries.append(AcceptPause.place, now: now)
    }

    mutating func resumeAccepting() {
        guard reasonToPause() == nil else { return retries.append(AcceptPause.place, now: now) }
        pause.end()
        for frontend in frontends.all where frontend.route.frontend.proto == .tcp { watchListener(frontend) }
    }
}
#endif
