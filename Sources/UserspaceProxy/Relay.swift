#if os(Linux)
/// One relayed TCP connection, as plain memory: no reference counting when an event touches it.
struct Relay: BitwiseCopyable {
    enum State: UInt8, BitwiseCopyable {
        /// Waits for a descriptor to dial with.
        case waiting
        case dialing
        case relaying
        /// Dropped: accepted, never answered (7.17).
        case silent
    }

    var state: State
    /// Failed dials so far.
    var failures: UInt8 = 0
    /// In the list of those that stopped at their share of a turn.
    var isPending = false
    let frontend: Token.Place
    var client: Int32
    var backend: Int32 = -1
    /// epoll tells when the socket has room again; switched on by the first full send buffer.
    var watchesClientRoom = false
    var watchesBackendRoom = false
    var isBackendWatched = false
    var isClientWatched = false
    var record: RecordPointer?
    var toBackend = Channel()
    var toClient = Channel()

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
struct Channel: BitwiseCopyable {
    var buffer: UnsafeMutableRawPointer?
    var start: Int32 = 0
    var end: Int32 = 0
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

    var holdsData: Bool { buffer != nil || inPipe > 0 }
}
#endif
