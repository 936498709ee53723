#if os(Linux)
import CLinux
import Glibc
import Logging
import NetTypes
import ServiceRouting

/// One thread's event loop: relays TCP and UDP for all frontends, without allocation per event.
///
/// epoll tells what sockets can do, edge-triggered. With an ``engine``, a ring accepts and carries small messages instead.
/// It lives on the stack of its thread and is touched by nothing else; others send it work through ``LoopThread``.
struct RelayLoop: ~Copyable {
    private static let eventsPerWait = 64

    let settings: LoopSettings
    let epoll: Int32
    let inbox: LoopInbox
    /// nil when epoll alone carries everything.
    var engine: RingEngine?
    private let events: UnsafeMutablePointer<epoll_event>
    var relays = Slab<Relay>()
    var flows = Slab<Flow>()
    var memory = LoopMemory()
    var records = EndpointRecords()
    var frontends = FrontendSlots()
    var frontendGeneration: UInt32 = 0
    var picker: EndpointPicker<SeededGenerator>
    /// Relays that stopped at their share of a turn and have more to do.
    var pending: [Token.Place] = []
    /// Endpoints that a relay's dials failed at.
    var tried: [UInt32: [SocketEndpoint]] = [:]
    /// Nanoseconds of the monotonic clock, read once per turn.
    var now: UInt64 = 0
    let dials: [DeadlineQueue]
    let flowDeadlines: DeadlineQueue
    /// Relays and, once, the listeners that wait for descriptors.
    let retries = DeadlineQueue(delay: .milliseconds(100))
    var pause = AcceptPause()
    /// How many descriptors relays, flows and pipes may take together.
    var descriptorShare: Int
    var isStopping = false

    init(settings: LoopSettings, inbox: LoopInbox, epoll: Int32, engine: consuming RingEngine?) {
        self.engine = engine
        events = .allocate(capacity: Self.eventsPerWait)
        self.settings = settings
        descriptorShare = settings.descriptorShare
        self.inbox = inbox
        self.epoll = epoll
        picker = EndpointPicker(SeededGenerator(seed: settings.seed))
        dials = settings.dialTimeouts.map(DeadlineQueue.init(delay:))
        flowDeadlines = DeadlineQueue(delay: settings.flowIdleTimeout)
        pending.reserveCapacity(64)
    }

    deinit { events.deallocate() }

    /// Serves until told to stop; then everything of this loop is closed.
    mutating func run() {
        now = settings.clock()
        watchReadiness()
        while !isStopping {
            if engine == nil {
                handleEvents(waitingMilliseconds: waitMilliseconds())
            } else {
                ringTurn(milliseconds: waitMilliseconds())
            }
            if !pending.isEmpty { runPending() }
            fireDeadlines()
        }
        closeAll()
        // Somebody may still wait for an answer.
        for work in inbox.close() { work(&self) }
    }

    mutating func handleEvents(waitingMilliseconds: Int32) {
        let count = epoll_wait(epoll, events, Int32(Self.eventsPerWait), waitingMilliseconds)
        now = settings.clock()
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            guard let token = Token(bits: clinux_event_token(events + index)) else { continue }
            handle(token, clinux_event_bits(events + index))
        }
    }

    private mutating func handle(_ token: Token, _ bits: UInt32) {
        switch token.kind {
        case .client: clientEvent(token.place, bits)
        case .backend: backendEvent(token.place, bits)
        case .listener: acceptAll(token.place)
        case .datagrams: receiveAll(token.place)
        case .flow: answerAll(token.place)
        case .wake: for work in inbox.take() { work(&self) }
        case .accept, .clientReceive, .backendReceive, .send, .readiness, .none: break
        }
    }

    private func waitMilliseconds() -> Int32 {
        guard pending.isEmpty else { return 0 }
        var next = flowDeadlines.nextDue ?? .max
        next = min(next, retries.nextDue ?? .max)
        for queue in dials { next = min(next, queue.nextDue ?? .max) }
        guard next != .max else { return -1 }
        return next <= now ? 0 : Int32(clamping: (next - now) / 1_000_000 + 1)
    }

    private mutating func runPending() {
        let turn = pending
        pending.removeAll(keepingCapacity: true)
        for place in turn {
            guard let relay = relays.pointer(place) else { continue }
            relay.pointee.isPending = false
            pump(relay, place, client: true, backend: true)
        }
    }

    private mutating func fireDeadlines() {
        for (attempt, queue) in dials.enumerated() {
            while let place = queue.popDue(now: now) {
                guard let relay = relays.pointer(place), relay.pointee.state == .dialing,
                    relay.pointee.failures == attempt
                else { continue }
                dialFailed(relay, place)
            }
        }
        while let place = flowDeadlines.popDue(now: now) { flowIsDue(place) }
        while let place = retries.popDue(now: now) {
            if place == AcceptPause.place {
                resumeAccepting()
            } else if let relay = relays.pointer(place), relay.pointee.state == .waiting {
                dial(relay, place)
            }
        }
    }

    private mutating func closeAll() {
        for place in relays.places { if let relay = relays.pointer(place) { close(relay, place, reset: true) } }
        for frontend in frontends.all {
            unwatchListener(frontend)
            forget(frontend)
        }
        frontends = FrontendSlots()
        drainRing()
    }

    @discardableResult
    func watch(_ descriptor: Int32, _ token: Token, _ events: UInt32, operation: Int32 = EPOLL_CTL_ADD) -> Bool {
        clinux_epoll_ctl(epoll, operation, descriptor, events, token.bits) == 0
    }

    func unwatch(_ descriptor: Int32) { _ = clinux_epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, 0, 0) }
}

/// Bits of epoll's events (epoll_ctl(2)).
enum Readiness {
    static let input: UInt32 = 0x001
    static let output: UInt32 = 0x004
    static let failure: UInt32 = 0x008
    static let hangUp: UInt32 = 0x010
    static let end: UInt32 = 0x2000
    static let exclusive: UInt32 = 1 << 28
    static let edge: UInt32 = 1 << 31
}
#endif
