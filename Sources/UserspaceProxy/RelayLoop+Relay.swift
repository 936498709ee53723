#if os(Linux)
import CLinux
import Glibc

extension RelayLoop {
    mutating func clientEvent(_ place: Token.Place, _ bits: UInt32) {
        // The ring may have taken it over since the kernel told us.
        guard let relay = relays.pointer(place), relay.pointee.carrier == .readiness else { return }
        if relay.pointee.state == .silent { return swallow(relay, place) }
        let arrives = Self.note(bits, source: &relay.pointee.toBackend, destination: &relay.pointee.toClient)
        if relay.pointee.state == .waiting { return }
        pump(relay, place, client: arrives, backend: bits & Readiness.output != 0)
    }

    mutating func backendEvent(_ place: Token.Place, _ bits: UInt32) {
        guard let relay = relays.pointer(place), relay.pointee.carrier == .readiness else { return }
        if relay.pointee.state == .dialing {
            if bits & Readiness.failure != 0 { return dialFailed(relay, place) }
            guard bits & (Readiness.output | Readiness.input) != 0 else { return }
            connected(relay, place)
            relay.pointee.toBackend.isWritable = true
            _ = Self.note(bits, source: &relay.pointee.toClient, destination: &relay.pointee.toBackend)
            pump(relay, place, client: true, backend: true)
            if let relay = relays.pointer(place) { enterRing(relay, place) }
            return
        }
        let arrives = Self.note(bits, source: &relay.pointee.toClient, destination: &relay.pointee.toBackend)
        pump(relay, place, client: bits & Readiness.output != 0, backend: arrives)
    }

    /// Says whether there is something to read.
    private static func note(_ bits: UInt32, source: inout RelayDirection, destination: inout RelayDirection) -> Bool {
        if bits & Readiness.output != 0 { destination.isWritable = true }
        let ending = bits & (Readiness.end | Readiness.hangUp | Readiness.failure) != 0
        if ending { source.mayEnd = true }
        guard ending || bits & Readiness.input != 0 else { return false }
        source.isReadable = true
        return true
    }

    mutating func connected(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        relay.pointee.state = .relaying
        relay.pointee.record?.pointee.connections += 1
        if relay.pointee.failures > 0 { tried[place.index] = nil }
    }

    /// Moves what can be moved: from the client, from the backend, or both ways.
    mutating func pump(
        _ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place, client: Bool, backend: Bool
    ) {
        guard let record = relay.pointee.record else { return }
        var hasMore = false
        if client {
            let before = record.pointee.bytesToEndpoint
            let outcome = transfer(
                &relay.pointee.toBackend, from: relay.pointee.client, to: relay.pointee.backend,
                mayCork: relay.pointee.state == .relaying, bytes: &record.pointee.bytesToEndpoint)
            // Before a failure is looked at: an endpoint that took bytes was not a failed dial, and a retry would lose them.
            if relay.pointee.state == .dialing, record.pointee.bytesToEndpoint != before { connected(relay, place) }
            // Shutting a dialling socket would end the dial.
            if relay.pointee.state == .relaying {
                Self.passOnEnd(
                    of: &relay.pointee.toBackend, to: relay.pointee.backend, isLast: relay.pointee.toClient.isShut)
            }
            switch outcome {
            case .done: break
            case .more: hasMore = true
            case .sourceFailed: return close(relay, place, reset: true)
            case .destinationFailed:
                if relay.pointee.state == .dialing { return dialFailed(relay, place) }
                passOnLastWords(of: relay, bytes: &record.pointee.bytesToClient)
                return close(relay, place, reset: true)
            }
            if !relay.pointee.toBackend.isWritable, !relay.pointee.watchesBackendRoom {
                relay.pointee.watchesBackendRoom = true
                watchRoom(relay.pointee.backend, Token(.backend, place), relay.pointee.isBackendWatched)
            }
        }
        if backend, relay.pointee.state == .relaying {
            let outcome = transfer(
                &relay.pointee.toClient, from: relay.pointee.backend, to: relay.pointee.client, mayCork: true,
                bytes: &record.pointee.bytesToClient)
            Self.passOnEnd(
                of: &relay.pointee.toClient, to: relay.pointee.client, isLast: relay.pointee.toBackend.isShut)
            switch outcome {
            case .done: break
            case .more: hasMore = true
            case .sourceFailed, .destinationFailed: return close(relay, place, reset: true)
            }
            if !relay.pointee.toClient.isWritable, !relay.pointee.watchesClientRoom {
                relay.pointee.watchesClientRoom = true
                watchRoom(relay.pointee.client, Token(.client, place), relay.pointee.isClientWatched)
            }
        }
        if relay.pointee.toBackend.isShut, relay.pointee.toClient.isShut {
            return close(relay, place, reset: false)
        }
        if hasMore, !relay.pointee.isPending {
            relay.pointee.isPending = true
            pending.append(place)
        }
    }

    /// A server that refuses a long request answers and resets while the request still comes: the answer must not be lost.
    private mutating func passOnLastWords(of relay: UnsafeMutablePointer<Relay>, bytes: inout UInt64) {
        relay.pointee.toClient.isReadable = true
        _ = transfer(
            &relay.pointee.toClient, from: relay.pointee.backend, to: relay.pointee.client, mayCork: false,
            bytes: &bytes)
    }

    /// Shuts the destination once everything up to the source's end is there; `isLast` leaves that to the close that follows.
    private static func passOnEnd(of direction: inout RelayDirection, to destination: Int32, isLast: Bool) {
        if direction.hasEnded, !direction.holdsData {
            guard !direction.isShut else { return }
            direction.isShut = true
            if !isLast { shutdown(destination, Int32(SHUT_WR)) }
        } else if direction.isCorked {
            // No end after all: setting the option once more sends what was held back.
            FrontendSocket.enable(Int32(IPPROTO_TCP), TCP_NODELAY, on: destination)
        }
        direction.isCorked = false
    }

    private func watchRoom(_ descriptor: Int32, _ token: Token, _ isWatched: Bool) {
        guard isWatched else { return }
        let bits = Readiness.input | Readiness.output | Readiness.end | Readiness.edge
        watch(descriptor, token, bits, operation: EPOLL_CTL_MOD)
    }

    /// Takes what a dropped client sends and waits until it gives up.
    private mutating func swallow(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        while true {
            let count = recv(relay.pointee.client, memory.scratch, LoopMemory.bufferSize, 0)
            if count > 0 { continue }
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            return close(relay, place, reset: false)
        }
    }

    /// Ends a relay; with `reset` both peers see a reset instead of an orderly end.
    mutating func close(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place, reset: Bool) {
        if reset {
            Self.makeEndAbrupt(relay.pointee.client)
            if relay.pointee.backend >= 0 { Self.makeEndAbrupt(relay.pointee.backend) }
        }
        if relay.pointee.carrier == .readiness {
            Glibc.close(relay.pointee.client)
            if relay.pointee.backend >= 0 { Glibc.close(relay.pointee.backend) }
        } else {
            closeInRing(relay, place)
        }
        release(&relay.pointee.toBackend)
        release(&relay.pointee.toClient)
        if relay.pointee.failures > 0 { tried[place.index] = nil }
        if let record = relay.pointee.record { records.leave(record) }
        relays.remove(place)
    }

    private static func makeEndAbrupt(_ descriptor: Int32) {
        var atOnce = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
    }

    private mutating func release(_ direction: inout RelayDirection) {
        if let buffer = direction.buffer { memory.giveBack(buffer, size: Int(direction.bufferSize)) }
        direction.buffer = nil
        if direction.pipeOut >= 0 {
            memory.giveBack(pipe: (direction.pipeOut, direction.pipeIn), isEmpty: direction.inPipe == 0)
            direction.pipeOut = -1
        }
    }
}
#endif
