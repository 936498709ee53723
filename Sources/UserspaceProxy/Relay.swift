#if os(Linux)
/// One relayed TCP connection, as plain memory: no reference counting when an event touches it.
struct Relay: BitwiseCopyable {
    /// How far the connection is.
    enum State: UInt8, BitwiseCopyable {
        /// Waits for a descriptor to dial with.
        case waiting
        case dialing
        case relaying
        /// Dropped: accepted, never answered (7.17).
        case silent
    }

    /// Who moves its bytes.
    enum Carrier: UInt8, BitwiseCopyable {
        /// epoll tells, ``RelayLoop/pump`` moves.
        case readiness
        /// The ring receives and sends.
        case ring
        /// The ring until its operations in flight have completed, then readiness.
        case leaving
    }

    var state: State
    var carrier = Carrier.readiness
    /// Failed dials so far.
    var failures: UInt8 = 0
    /// In the list of those that stopped at their share of a turn.
    var isPending = false
    /// In the list of those that a turn's completions were about.
    var isTouched = false
    let frontend: Token.Place
    var client: Int32
    var backend: Int32 = -1
    /// epoll tells when the socket has room again; switched on by the first full send buffer.
    var watchesClientRoom = false
    var watchesBackendRoom = false
    var isBackendWatched = false
    var isClientWatched = false
    var record: RecordPointer?
    var toBackend = RelayDirection()
    var toClient = RelayDirection()

    init(state: State, client: Int32, frontend: Token.Place) {
        self.state = state
        self.client = client
        self.frontend = frontend
    }
}

/// One direction of a relay.
///
///     source ──read──▶ scratch of the loop ──send──▶ destination
///        │                └─ what did not fit ─▶ a borrowed buffer; no more is read until it is gone
///        └─splice──▶ pipe ──splice──▶ destination      once a read fills the whole scratch
struct RelayDirection: BitwiseCopyable {
    var buffer: UnsafeMutableRawPointer?
    var start: Int32 = 0
    var end: Int32 = 0
    var bufferSize: Int32 = 0
    var pipeOut: Int32 = -1
    var pipeIn: Int32 = -1
    var inPipe: Int32 = 0
    /// There may be something to read.
    var isReadable = false
    /// The source has hung up or failed: read on until it says so.
    var mayEnd = false
    var isWritable = true
    /// The kernel may hold back bytes that the destination took, until the end or more bytes follow.
    var isCorked = false
    /// The source's end was read.
    var hasEnded = false
    /// The end was passed on to the destination.
    var isShut = false
    /// The source failed; counts once all bytes before that are sent.
    var hasFailed = false
    /// Received by the ring and not sent.
    var queue = BufferQueue()
    /// The ring has a receive in flight.
    var isReceiving = false
    /// The ring has a send in flight, of the queue's first buffer.
    var isSending = false

    var holdsData: Bool { buffer != nil || inPipe > 0 }
    /// Nothing is half done.
    var isIdle: Bool { !holdsData && pipeOut < 0 && !hasFailed && !isCorked }
    var isInRing: Bool { isReceiving || isSending }
    /// After a send.
    var hasMoreToDo: Bool { !queue.isEmpty || hasFailed || hasEnded && !isShut }
}
#endif
