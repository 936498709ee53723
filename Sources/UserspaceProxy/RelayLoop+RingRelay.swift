#if os(Linux)
import CLinux
import Glibc

/// Relays whose bytes the ring carries.
///
///     completion of a receive ─▶ queue ─▶ send ─▶ its completion gives the buffer back
///
/// One send per direction is under way. As soon as a destination does not take all of one, or much waits for it, the
/// relay leaves the ring: readiness, backpressure and bulk are the business of ``pump``.
extension RelayLoop {
    /// More than this waiting one way is no small message.
    private static let queueLimit = 8

    /// Gives a relay that is connected, and has nothing half done, to the ring; says whether the ring has it.
    @discardableResult
    mutating func enterRing(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) -> Bool {
        // A dial that failed at once may have led to another, which is in the ring by now.
        guard relay.pointee.carrier == .readiness else { return true }
        guard engine != nil, !relay.pointee.isPending else { return false }
        if relay.pointee.state == .dialing, Self.isConnected(relay.pointee.backend) { connected(relay, place) }
        guard relay.pointee.state == .relaying, relay.pointee.toBackend.isIdle, relay.pointee.toClient.isIdle else {
            return false
        }
        if relay.pointee.isClientWatched { unwatch(relay.pointee.client) }
        if relay.pointee.isBackendWatched { unwatch(relay.pointee.backend) }
        relay.pointee.isClientWatched = false
        relay.pointee.isBackendWatched = false
        relay.pointee.carrier = .ring
        settle(relay, place)
        return true
    }

    private static func isConnected(_ socket: Int32) -> Bool {
        var query = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        return poll(&query, 1, 0) == 1 && query.revents == Int16(POLLOUT)
    }

    mutating func received(_ token: Token, _ result: Int32, _ flags: UInt32) {
        let isForClient = token.kind == .backendReceive
        let buffer: UInt16? =
            flags & SubmissionRing.Completion.buffer != 0 ? UInt16(truncatingIfNeeded: flags >> 16) : nil
        guard let relay = relays.pointer(token.place) else {
            if let buffer { engine?.buffers.giveBack(buffer) }
            return
        }
        let isOver = flags & SubmissionRing.Completion.more == 0
        if isForClient {
            note(result, buffer, isOver, &relay.pointee.toClient, token.place, isForClient)
        } else {
            note(result, buffer, isOver, &relay.pointee.toBackend, token.place, isForClient)
        }
        touch(relay, token.place)
    }

    private mutating func note(
        _ result: Int32, _ buffer: UInt16?, _ isOver: Bool, _ direction: inout RelayDirection, _ place: Token.Place,
        _ isForClient: Bool
    ) {
        if isOver { direction.isReceiving = false }
        if let buffer {
            if result > 0 {
                engine?.buffers.append(
                    buffer, length: result, to: &direction.queue, owner: place, isForClient: isForClient)
            } else {
                engine?.buffers.giveBack(buffer)
            }
        }
        guard result <= 0 else { return }
        switch -result {
        case 0: direction.hasEnded = true
        case ENOBUFS, ECANCELED, EINTR, EAGAIN: break
        default: direction.hasFailed = true
        }
    }

    mutating func sent(_ buffer: UInt16, _ result: Int32) {
        guard let owner = engine?.buffers.owner(of: buffer) else { return }
        guard let relay = relays.pointer(owner.place) else {
            engine?.buffers.giveBack(buffer)
            return
        }
        let isDone = result > 0 && engine?.buffers.consume(result, of: buffer) == true
        if owner.isForClient {
            if result > 0 { relay.pointee.record?.pointee.bytesToClient &+= UInt64(result) }
            didSend(isDone, &relay.pointee.toClient)
        } else {
            if result > 0 { relay.pointee.record?.pointee.bytesToEndpoint &+= UInt64(result) }
            didSend(isDone, &relay.pointee.toBackend)
        }
        if !isDone { leaveRing(relay, owner.place) }
        if relay.pointee.carrier == .leaving || relay.pointee.toClient.hasMoreToDo
            || relay.pointee.toBackend.hasMoreToDo
        {
            touch(relay, owner.place)
        }
    }

    private mutating func didSend(_ isDone: Bool, _ direction: inout RelayDirection) {
        direction.isSending = false
        if isDone { engine?.buffers.removeFirst(of: &direction.queue) }
    }

    private mutating func touch(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        guard !relay.pointee.isTouched else { return }
        relay.pointee.isTouched = true
        engine?.touched.append(place)
    }

    /// After all completions of a turn, so that what came together is looked at together.
    mutating func settleTouched() {
        var index = 0
        while let place = engine?.touched(index) {
            index += 1
            guard let relay = relays.pointer(place) else { continue }
            relay.pointee.isTouched = false
            settle(relay, place)
        }
        engine?.touched.removeAll(keepingCapacity: true)
    }

    /// Starts what a relay needs next.
    private mutating func settle(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        if relay.pointee.carrier == .leaving { return finishLeaving(relay, place) }
        let isWhole =
            advance(
                &relay.pointee.toBackend, from: relay.pointee.client, to: relay.pointee.backend,
                Token(.clientReceive, place), isLast: relay.pointee.toClient.isShut)
            && advance(
                &relay.pointee.toClient, from: relay.pointee.backend, to: relay.pointee.client,
                Token(.backendReceive, place), isLast: relay.pointee.toBackend.isShut)
        guard isWhole else { return close(relay, place, reset: true) }
        if relay.pointee.toBackend.isShut, relay.pointee.toClient.isShut {
            return close(relay, place, reset: false)
        }
        if relay.pointee.toBackend.queue.count > Self.queueLimit || relay.pointee.toClient.queue.count > Self.queueLimit
        {
            leaveRing(relay, place)
            finishLeaving(relay, place)
        }
    }

    /// Sends, passes on the end, receives: one way; false when the stream is broken.
    private mutating func advance(
        _ direction: inout RelayDirection, from source: Int32, to destination: Int32, _ receive: Token, isLast: Bool
    ) -> Bool {
        if !direction.isSending {
            if !direction.queue.isEmpty {
                let number = direction.queue.first
                // Held back until the end follows, so that both leave in one segment.
                let hasMore = direction.hasEnded || direction.queue.count > 1
                if let bytes = engine?.buffers.bytes(in: number) {
                    engine?.ring.send(
                        destination, bytes, hasMore: hasMore,
                        Token(.send, Token.Place(index: UInt32(number), generation: 0)))
                    direction.isSending = true
                }
            } else if direction.hasFailed {
                return false
            } else if direction.hasEnded, !direction.isShut {
                direction.isShut = true
                if !isLast { shutdown(destination, Int32(SHUT_WR)) }
            }
        }
        if !direction.isReceiving, !direction.hasEnded, !direction.hasFailed {
            direction.isReceiving = true
            engine?.ring.receive(source, receive)
        }
        return true
    }

    // MARK: - Leaving

    /// Has the relay carried by readiness from now on; nothing is sent until the ring has let go of it.
    private mutating func leaveRing(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        guard relay.pointee.carrier == .ring else { return }
        relay.pointee.carrier = .leaving
        cancelReceives(relay, place)
    }

    private mutating func cancelReceives(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        if relay.pointee.toBackend.isReceiving { engine?.ring.cancel(Token(.clientReceive, place)) }
        if relay.pointee.toClient.isReceiving { engine?.ring.cancel(Token(.backendReceive, place)) }
    }

    private mutating func finishLeaving(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        guard !relay.pointee.toBackend.isInRing, !relay.pointee.toClient.isInRing else { return }
        gather(&relay.pointee.toBackend)
        gather(&relay.pointee.toClient)
        relay.pointee.carrier = .readiness
        relay.pointee.watchesClientRoom = true
        relay.pointee.watchesBackendRoom = true
        watchBackend(relay, place)
        watchClient(relay, place)
        pump(relay, place, client: true, backend: true)
    }

    /// Copies what is queued out of the shared buffers, which a slow reader must not hold.
    private mutating func gather(_ direction: inout RelayDirection) {
        direction.isReadable = !direction.hasEnded && !direction.hasFailed
        direction.isWritable = true
        guard !direction.queue.isEmpty else { return }
        let size = max(LoopMemory.bufferSize, Int(direction.queue.count) * ReceiveBuffers.size)
        let buffer = memory.takeBuffer(size)
        var end = 0
        while !direction.queue.isEmpty, let bytes = engine?.buffers.bytes(in: direction.queue.first) {
            if let start = bytes.baseAddress { (buffer + end).copyMemory(from: start, byteCount: bytes.count) }
            end += bytes.count
            engine?.buffers.removeFirst(of: &direction.queue)
        }
        direction.buffer = buffer
        direction.bufferSize = Int32(size)
        direction.start = 0
        direction.end = Int32(end)
    }

    /// Closes the sockets of a relay that the ring carries, after what is queued for them.
    mutating func closeInRing(_ relay: UnsafeMutablePointer<Relay>, _ place: Token.Place) {
        cancelReceives(relay, place)
        engine?.ring.close(relay.pointee.client)
        engine?.ring.close(relay.pointee.backend)
        drop(&relay.pointee.toBackend)
        drop(&relay.pointee.toClient)
    }

    private mutating func drop(_ direction: inout RelayDirection) {
        // The first goes back when its send has completed.
        if direction.isSending { engine?.buffers.skipFirst(of: &direction.queue) }
        while !direction.queue.isEmpty { engine?.buffers.removeFirst(of: &direction.queue) }
    }
}
#endif
