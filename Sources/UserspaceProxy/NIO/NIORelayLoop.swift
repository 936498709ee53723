import NIOCore
import NetTypes
import ServiceRouting

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// What one event loop serves, its relays and its flows; used on that event loop only.
final class NIORelayLoop {
    let eventLoop: any EventLoop
    let settings: LoopSettings
    let gate: AcceptGate
    var frontends = FrontendSlots()
    var records = EndpointRecords()
    var picker: EndpointPicker<SeededGenerator>
    /// Those that have not ended, by identity.
    private var relays: [ObjectIdentifier: NIORelay] = [:]
    var flows = NIOFlows()
    let flowDeadlines: DeadlineQueue
    /// The event loop will look at the deadlines.
    var isLookScheduled = false

    init(_ settings: LoopSettings, on eventLoop: any EventLoop, gate: AcceptGate) {
        self.settings = settings
        self.eventLoop = eventLoop
        self.gate = gate
        picker = EndpointPicker(SeededGenerator(seed: settings.seed))
        flowDeadlines = DeadlineQueue(delay: settings.flowIdleTimeout)
    }

    // MARK: - Frontends

    /// Follows a change; `place` is that of a frontend that is new.
    func make(_ change: FrontendChange, at place: Token.Place) {
        switch change {
        case .serve(let route, let socket, _, let choice):
            let frontend = ServedFrontend(place: place, socket: socket, route: route, choice: choice)
            frontends.put(frontend)
            records.list(route, for: frontend)
        case .update(let route, let slot, let choice):
            guard let frontend = frontends[slot] else { return }
            records.relist(route, for: frontend)
            frontend.choice = choice
            moveFlows(of: frontend)
        case .retire(_, let slot):
            if let frontend = frontends.remove(slot) { forget(frontend) }
        case .shareDescriptors: break
        }
    }

    private func forget(_ frontend: ServedFrontend) {
        for place in frontend.flows.values { close(place, of: frontend) }
        records.unlist(frontend)
    }

    func currentCounters() -> [EndpointCounters] {
        closeIdleFlows()
        return records.counters
    }

    func closeAll() {
        for relay in relays.values { relay.abort() }
        for frontend in frontends.all { forget(frontend) }
        frontends = FrontendSlots()
    }

    // MARK: - Relays

    /// Serves an accepted connection, which is not active yet.
    func admit(_ client: any Channel, at place: Token.Place) throws {
        let relay = NIORelay(client: client, place: place, loop: self)
        try client.pipeline.syncOperations.addHandler(relay.clientEnd)
        relays[ObjectIdentifier(relay)] = relay
        gate.enter(on: eventLoop)
    }

    /// A relay has ended; nothing of it is open.
    func remove(_ relay: NIORelay) {
        guard relays.removeValue(forKey: ObjectIdentifier(relay)) != nil else { return }
        gate.leave()
    }
}

extension SocketEndpoint {
    /// nil for an address that is not IP; an IPv4 client of an IPv6 socket is told as IPv4.
    init?(_ address: NIOCore.SocketAddress?) {
        guard let endpoint = address.flatMap({ SocketAddress($0).endpoint }) else { return nil }
        self = endpoint
    }
}

extension SocketAddress {
    /// The form of system calls.
    fileprivate init(_ address: NIOCore.SocketAddress) {
        self.init()
        address.withSockAddr { pointer, length in
            withUnsafeMutableBytes(of: &storage) { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: min(length, bytes.count)))
            }
        }
    }

    /// SwiftNIO's form; the address is an IP address.
    var forNIO: NIOCore.SocketAddress {
        withPointer { pointer, _ in
            if family == AF_INET {
                return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { .init($0.pointee) }
            }
            return pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { .init($0.pointee) }
        }
    }
}
