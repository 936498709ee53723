#if os(Linux)
import CLinux
import Glibc
import Logging
import NetTypes
import ServiceRouting

extension RelayLoop {
    /// A burst is shared between the loops; with 64, late answers (p99) came 3 to 10 % later.
    private static let acceptsPerTurn = 16

    /// Accepts what waits at a listener, up to a share.
    mutating func acceptAll(_ place: Token.Place) {
        guard let frontend = frontends[place] else { return }
        for _ in 0..<Self.acceptsPerTurn {
            guard mayAccept() else { return }
            let client = accept4(
                frontend.socket, nil, nil, Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue))
            guard client >= 0 else {
                switch errno {
                case EINTR, ECONNABORTED: continue
                case EMFILE, ENFILE, ENOMEM, ENOBUFS: return pauseAccepting(String(cString: strerror(errno)))
                default: return
                }
            }
            admit(client, at: frontend)
        }
    }

    /// Serves an accepted connection.
    mutating func admit(_ client: Int32, at frontend: ServedFrontend) {
        if pause.didAccept() { settings.logger.notice("accepting connections again") }
        let place = relays.insert(Relay(state: .waiting, client: client, frontend: frontend.place))
        guard let relay = relays.pointer(place) else { return }
        relay.pointee.toBackend.isReadable = true
        dial(relay, place)
    }

    /// Connects a relay to an endpoint that it has not tried; closes the client when there is none.
    mutating func dial(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        guard let frontend = frontends[relay.pointee.frontend] else { return close(relay, place, reset: true) }
        let wantsEvent = settings.hub.hasReaders
        var client: SocketEndpoint?
        if frontend.readsSource || wantsEvent {
            client = Self.peer(of: relay.pointee.client)
            if client == nil { return close(relay, place, reset: true) }
        }
        while true {
            let verdict = frontend.verdict(for: client?.address)
            guard case .forward(let list) = verdict else {
                if verdict == .drop { return silence(relay, place) }
                return close(relay, place, reset: true)
            }
            let failed = relay.pointee.failures == 0 ? [] : tried[place.index] ?? []
            guard failed.count < dials.count,
                let (index, reason) = frontend.pick(
                    from: list, tried: failed, for: client?.address, with: &picker, now: now)
            else { return close(relay, place, reset: true) }
            let record = frontend.records(for: verdict)[index]
            switch connect(relay, place, to: record) {
            case .started:
                if wantsEvent, let client {
                    settings.hub.send(
                        ConnectionEvent(
                            client: client, frontend: frontend.route.frontend, port: frontend.route.port,
                            endpoint: list.endpoints[index], reason: reason))
                }
                return firstTransfer(relay, place)
            case .noDescriptor:
                relay.pointee.state = .waiting
                retries.append(place, now: now)
                return pauseAccepting("no descriptor to dial with")
            case .refused:
                noteFailure(relay, place, record)
            }
        }
    }

    /// The dial under way came to nothing: tries another endpoint.
    mutating func dialFailed(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        if let record = relay.pointee.record {
            noteFailure(relay, place, record)
            relay.pointee.record = nil
            records.leave(record)
        }
        Glibc.close(relay.pointee.backend)
        relay.pointee.backend = -1
        relay.pointee.isBackendWatched = false
        relay.pointee.watchesBackendRoom = false
        relay.pointee.toClient = RelayDirection()
        relay.pointee.toBackend.isWritable = true
        dial(relay, place)
    }

    private mutating func noteFailure(
        _ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place, _ record: RecordPointer
    ) {
        record.pointee.dialFailures += 1
        relay.pointee.failures += 1
        tried[place.index, default: []].append(record.pointee.key.endpoint)
    }

    /// What became of a dial at once.
    private enum DialStart { case started, refused, noDescriptor }

    private mutating func connect(
        _ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place, to record: RecordPointer
    ) -> DialStart {
        let backend = socket(
            record.pointee.address.family,
            Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard backend >= 0 else { return .noDescriptor }
        FrontendSocket.enable(Int32(IPPROTO_TCP), TCP_NODELAY, on: backend)
        FrontendSocket.enable(SOL_SOCKET, SO_KEEPALIVE, on: backend)
        let result = record.pointee.address.withPointer { Glibc.connect(backend, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else {
            Glibc.close(backend)
            return .refused
        }
        relay.pointee.backend = backend
        relay.pointee.state = .dialing
        relay.pointee.record = record
        record.pointee.active += 1
        dials[Int(relay.pointee.failures)].append(place, now: now)
        return .started
    }

    /// A local endpoint has answered by now, and the client has often sent: one attempt saves a turn and a system call.
    private mutating func firstTransfer(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        pump(relay, place, client: true, backend: false)
        guard let relay = relays.pointer(place), relay.pointee.backend >= 0 else { return }
        if enterRing(relay, place) { return }
        watchBackend(relay, place)
        watchClient(relay, place)
    }

    mutating func watchBackend(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        guard !relay.pointee.isBackendWatched else { return }
        relay.pointee.isBackendWatched = true
        var bits = Readiness.input | Readiness.end | Readiness.edge
        if relay.pointee.state == .dialing || relay.pointee.watchesBackendRoom {
            bits |= Readiness.output
            relay.pointee.watchesBackendRoom = true
        }
        watch(relay.pointee.backend, Token(.backend, place), bits)
    }

    mutating func watchClient(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        guard !relay.pointee.isClientWatched else { return }
        relay.pointee.isClientWatched = true
        watch(
            relay.pointee.client, Token(.client, place),
            Readiness.input | Readiness.end | Readiness.edge
                | (relay.pointee.watchesClientRoom ? Readiness.output : 0))
    }

    /// Keeps the connection and never answers it (7.17).
    private mutating func silence(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        relay.pointee.state = .silent
        watchClient(relay, place)
    }

    static func peer(of socket: Int32) -> SocketEndpoint? {
        var address = SocketAddress()
        guard address.withMutablePointer({ getpeername(socket, $0, $1) }) == 0 else { return nil }
        return address.endpoint
    }
}
#endif
