#if os(Linux)
import CLinux
import Glibc
import Logging
import NetTypes
import ServiceRouting

/// A turn of a loop that has a ring.
///
/// The ring accepts and carries small messages. All else is told by the loop's epoll descriptor, which the ring polls.
extension RelayLoop {
    /// Waits, and does what there is to do.
    mutating func ringTurn(milliseconds: Int32) {
        engine?.ring.submitAndWait(nanoseconds: milliseconds < 0 ? -1 : Int64(milliseconds) * 1_000_000)
        now = settings.clock()
        completeAll()
        if engine?.hasReadiness == true {
            engine?.hasReadiness = false
            handleEvents(waitingMilliseconds: 0)
            watchReadiness()
        }
        settleTouched()
    }

    /// Once, so that what is not taken in a turn is told of again in the next.
    mutating func watchReadiness() {
        engine?.ring.pollInput(epoll, Token(.readiness, Token.Place(index: 0, generation: 0)))
    }

    private mutating func completeAll() {
        while let completion = engine?.ring.next() {
            guard let token = Token(bits: completion.token) else { continue }
            switch token.kind {
            case .accept: accepted(token.place, completion.result)
            case .clientReceive, .backendReceive: received(token, completion.result, completion.flags)
            case .send: sent(UInt16(truncatingIfNeeded: token.place.index), completion.result)
            case .readiness: engine?.hasReadiness = true
            case .wake, .listener, .client, .backend, .datagrams, .flow, .none: break
            }
        }
    }

    /// Ends everything that is in flight, so that no operation holds a descriptor any longer.
    mutating func drainRing() {
        engine?.ring.cancel(Token(.readiness, Token.Place(index: 0, generation: 0)))
        for _ in 0..<Self.drainTurns where (engine?.ring.inFlight ?? 0) > 0 {
            engine?.ring.submitAndWait(nanoseconds: 10_000_000)
            completeAll()
        }
    }

    private static var drainTurns: Int { 1000 }

    // MARK: - Accepting

    /// Waits for one connection, behind the other loops that do; what else is there then is taken with plain calls.
    mutating func startAccepting(_ frontend: ServedFrontend) {
        guard !frontend.isAccepting else { return }
        frontend.isAccepting = true
        engine?.ring.accept(frontend.socket, Token(.accept, frontend.place))
    }

    /// A last connection may come meanwhile.
    mutating func stopAccepting(_ frontend: ServedFrontend) {
        guard frontend.isAccepting else { return }
        engine?.ring.cancel(Token(.accept, frontend.place))
    }

    private mutating func accepted(_ place: Token.Place, _ result: Int32) {
        guard let frontend = frontends[place] else {
            // Of a frontend that is served no more: as if it had still been in the listener's queue.
            if result >= 0 { Glibc.close(result) }
            return
        }
        frontend.isAccepting = false
        if result >= 0 {
            admit(result, at: frontend)
            acceptAll(place)
        } else {
            switch -result {
            case EMFILE, ENFILE, ENOMEM, ENOBUFS: return pauseAccepting(String(cString: strerror(-result)))
            case EINVAL, EBADF, ENOTSOCK: return
            default: break
            }
        }
        guard !pause.isPaused else { return }
        guard mayAccept() else { return }
        startAccepting(frontend)
    }
}
#endif
