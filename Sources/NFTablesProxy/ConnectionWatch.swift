#if os(Linux)
import Glibc
import LinuxKernel
import NetTypes
import ServiceRouting
import Synchronization

/// Hears of new connections from the kernel, on a thread of its own, as long as somebody wants to know.
final class ConnectionWatch: Sendable {
    /// What changes; guarded by the lock.
    private struct State: ~Copyable {
        var socket: NetlinkSocket
        var memory = ClientMemory()
    }

    private let state: Mutex<State>
    private let thread = Mutex<EventThread?>(nil)
    private let route: @Sendable (Frontend) -> FrontendRoute?
    private let send: @Sendable (ConnectionEvent) -> Void

    /// - Parameters:
    ///   - route: the route of a frontend, if it is served; called on the thread.
    ///   - send: takes the events; called on the thread.
    init(
        route: @escaping @Sendable (Frontend) -> FrontendRoute?, send: @escaping @Sendable (ConnectionEvent) -> Void
    ) throws(NetlinkSocket.Failure) {
        let socket = try NetlinkSocket()
        let descriptor = socket.descriptor
        state = Mutex(State(socket: socket))
        self.route = route
        self.send = send
        let thread = EventThread(watching: descriptor) { [weak self] in self?.read() }
        guard let thread else { throw NetlinkSocket.Failure(code: EAGAIN) }
        self.thread.withLock { $0 = thread }
    }

    /// - Parameter remembered: asked for whom the kernel remembers, once it tells of those who come.
    /// - Throws: when the kernel does not tell, for example without NET_ADMIN.
    func listen(_ remembered: () -> ClientMemory) throws(NetlinkSocket.Failure) {
        try state.withLock { state throws(NetlinkSocket.Failure) in try state.socket.setTellingOfConnections(true) }
        let memory = remembered()
        state.withLock { $0.memory = memory }
    }

    /// The thread stays, and sleeps.
    func pause() {
        state.withLock { state in
            try? state.socket.setTellingOfConnections(false)
            state.socket.drain { _ in }
            state.memory = ClientMemory()
        }
    }

    /// Returns when the thread has ended and all that happened before has been told.
    func stop() {
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let thread else { return }
        thread.stop()
        read()
        pause()
    }

    private func read() {
        var connections: [Connection] = []
        state.withLock { state in
            state.socket.drain { payload in
                guard let connection = Connection(payload), connection.mark & 0xFF00_0000 == Ruleset.mark,
                    connection.mark != Ruleset.refusedMark
                else { return }
                connections.append(connection)
            }
        }
        for connection in connections {
            guard let route = route(connection.frontend) else { continue }
            send(state.withLock { $0.memory.event(connection, route: route, now: Self.now) })
        }
    }

    /// Milliseconds of the monotonic clock.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }
}
#endif
