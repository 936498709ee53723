#if os(Linux)
import CLinux
import Glibc
import NetTypes
import ServiceRouting
import Synchronization

/// The datagrams of one client of a UDP frontend: a connected socket of their own to one endpoint (7.11).
struct Flow {
    let client: SocketEndpoint
    let frontend: Token.Place
    let socket: Int32
    let record: RecordPointer
    /// Nanoseconds of the loop's clock.
    var lastUse: UInt64
}

extension RelayLoop {
    private static let datagramsPerTurn = 64

    /// Passes on what clients have sent to a frontend.
    mutating func receiveAll(_ place: Token.Place) {
        guard let frontend = frontends[place] else { return }
        for _ in 0..<Self.datagramsPerTurn {
            var source = SocketAddress()
            let count = source.withMutablePointer {
                recvfrom(frontend.socket, memory.scratch, LoopMemory.bufferSize, 0, $0, $1)
            }
            guard count >= 0 else {
                if errno == EINTR { continue }
                return
            }
            guard let client = source.endpoint else { continue }
            forward(count, from: client, at: frontend)
        }
    }

    /// An endpoint that answers "port unreachable" loses the flow; the datagram goes to another.
    private mutating func forward(_ count: Int, from client: SocketEndpoint, at frontend: ServedFrontend) {
        var failed: [SocketEndpoint] = []
        while failed.count < max(1, dials.count) {
            guard let place = frontend.flows[client] ?? open(for: client, at: frontend, tried: &failed),
                let flow = flows.pointer(place)
            else { return }
            flow.pointee.lastUse = now
            let record = flow.pointee.record
            if send(flow.pointee.socket, memory.scratch, count, Int32(MSG_NOSIGNAL)) >= 0 {
                record.pointee.bytesToEndpoint &+= UInt64(count)
                return
            }
            // Full buffers lose datagrams, as everywhere on the way.
            guard errno != EAGAIN, errno != ENOBUFS, errno != EMSGSIZE else { return }
            failed.append(record.pointee.key.endpoint)
            fail(flow, place, at: frontend)
        }
    }

    /// Opens a flow to an endpoint that was not tried; those that cannot be reached are tried, too.
    private mutating func open(
        for client: SocketEndpoint, at frontend: ServedFrontend, tried: inout [SocketEndpoint]
    ) -> Token.Place? {
        let verdict = frontend.route.verdict(for: client.address)
        guard case .forward(let list) = verdict else { return nil }
        while flows.count < settings.maximumFlows, hasRoom(for: 1),
            let (index, reason) = frontend.pick(
                from: list, tried: tried, for: client.address, with: &picker, now: now)
        {
            let record = frontend.records(for: verdict)[index]
            let socket = Glibc.socket(
                record.pointee.address.family,
                Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard socket >= 0 else { return nil }
            if record.pointee.address.withPointer({ Glibc.connect(socket, $0, $1) }) == 0 {
                return begin(for: client, at: frontend, to: list.endpoints[index], reason, over: socket, record)
            }
            Glibc.close(socket)
            record.pointee.dialFailures += 1
            tried.append(record.pointee.key.endpoint)
        }
        return nil
    }

    private mutating func begin(
        for client: SocketEndpoint, at frontend: ServedFrontend, to endpoint: RoutedEndpoint, _ reason: ChoiceReason,
        over socket: Int32, _ record: RecordPointer
    ) -> Token.Place {
        let place = flows.insert(
            Flow(client: client, frontend: frontend.place, socket: socket, record: record, lastUse: now))
        frontend.flows[client] = place
        record.pointee.connections += 1
        record.pointee.active += 1
        watch(socket, Token(.flow, place), Readiness.input)
        flowDeadlines.append(place, now: now)
        if settings.hub.hasReaders {
            settings.hub.send(
                ConnectionEvent(
                    client: client, frontend: frontend.route.frontend, port: frontend.route.port,
                    endpoint: endpoint, reason: reason))
        }
        return place
    }

    /// Passes the answers of an endpoint back to the client, from the address that the client knows.
    mutating func answerAll(_ place: Token.Place) {
        guard let flow = flows.pointer(place), let frontend = frontends[flow.pointee.frontend] else { return }
        let client = SocketAddress(flow.pointee.client)
        for _ in 0..<Self.datagramsPerTurn {
            let count = recv(flow.pointee.socket, memory.scratch, LoopMemory.bufferSize, 0)
            guard count >= 0 else {
                if errno == EINTR { continue }
                if errno != EAGAIN { fail(flow, place, at: frontend) }
                return
            }
            flow.pointee.lastUse = now
            let sent = client.withPointer { sendto(frontend.socket, memory.scratch, count, 0, $0, $1) }
            if sent > 0 { flow.pointee.record.pointee.bytesToClient &+= UInt64(sent) }
        }
    }

    /// Ends a flow whose endpoint is dead, and with it the client's affinity: the next datagram goes where it may.
    private mutating func fail(
        _ flow: UnsafeMutablePointer<Flow>, _ place: Token.Place, at frontend: ServedFrontend
    ) {
        flow.pointee.record.pointee.dialFailures += 1
        let client = flow.pointee.client.address
        frontend.choice?.state.withLock { $0.affinity?.forget(client) }
        close(flow, place)
    }

    /// Ends the flows to endpoints that serve no more, if there are others (7.11).
    mutating func moveFlows(of frontend: ServedFrontend) {
        guard !frontend.flows.isEmpty, !frontend.route.serving.isEmpty else { return }
        let serving = Set(frontend.route.serving)
        for place in Array(frontend.flows.values) {
            guard let flow = flows.pointer(place), !serving.contains(flow.pointee.record.pointee.key.endpoint)
            else {
                continue
            }
            close(flow, place)
        }
    }

    mutating func flowIsDue(_ place: Token.Place) {
        guard let flow = flows.pointer(place) else { return }
        if flow.pointee.lastUse + flowDeadlines.delay > now {
            // Used meanwhile: looked at again one whole timeout later.
            flowDeadlines.append(place, now: now)
        } else {
            close(flow, place)
        }
    }

    mutating func close(_ flow: UnsafeMutablePointer<Flow>, _ place: Token.Place) {
        Glibc.close(flow.pointee.socket)
        frontends[flow.pointee.frontend]?.flows[flow.pointee.client] = nil
        records.leave(flow.pointee.record)
        flows.remove(place)
    }
}
#endif
