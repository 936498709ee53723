import CLinux
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Tells connections that are no channels when their sockets can be read.
///
/// NIO's loops watch nothing but their channels, and to make one takes longer than a whole exchange over loopback without it
/// (docs/benchmarks.md). Here the kernel watches (io_submit(2), IOCB_CMD_POLL) and rings an eventfd, which is the one channel.
/// Belongs to the event loop, and lives as long.
final class SocketWatch {
    /// Sockets that are watched at the same time, those of connections that wait for their next request too.
    static let capacity = 256
    /// The token of the first wish, which nobody waits for.
    private static let probe = UInt64.max
    private static let watches = Mutex<[ObjectIdentifier: NIOLoopBound<SocketWatch>?]>([:])

    let loop: any EventLoop
    private let context: aio_context_t
    private let bell: CInt
    /// Those who are to be told, at the place that their token says.
    private var watched = [LoopbackConnection?](repeating: nil, count: capacity)
    private var free = Array(0..<capacity)
    private var isOver = false
    private var events = [io_event](repeating: io_event(), count: 64)
    /// One for all deadlines: it looks when it is due who is late.
    private var timer: (due: NIODeadline, task: Scheduled<Void>)?
    /// What whoever reads may use for that, one after the other.
    var buffer = ByteBuffer()

    /// The watch of the loop that the caller is on; nil where the kernel has none to give.
    static func of(_ loop: any EventLoop) -> SocketWatch? {
        let key = ObjectIdentifier(loop)
        if let known = watches.withLock({ $0[key] }) { return known?.value }
        let watch = SocketWatch(loop)
        let bound = watch.map { NIOLoopBound($0, eventLoop: loop) }
        watches.withLock { $0[key] = .some(bound) }
        return watch
    }

    private init?(_ loop: any EventLoop) {
        var context = aio_context_t()
        guard clinux_aio_setup(UInt32(Self.capacity), &context) == 0 else { return nil }
        let bell = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        // Old kernels have the calls and not this wish: it is tried with a descriptor that is always ready.
        guard bell >= 0, clinux_aio_poll(context, bell, UInt16(POLLOUT), bell, Self.probe) == 1 else {
            if bell >= 0 { close(bell) }
            _ = clinux_aio_destroy(context)
            return nil
        }
        (self.loop, self.context, self.bell) = (loop, context, bell)
        let this = NIOLoopBound(self, eventLoop: loop)
        NIOPipeBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(BellHandler(this.value))
                }
            }
            .takingOwnershipOfDescriptor(input: bell).whenFailure { _ in
                this.value.end()
                close(bell)
            }
    }

    /// Whether one more can wait.
    var hasRoom: Bool { !free.isEmpty && !isOver }

    /// Whether the connection is told, once, when its socket can be read or is at its end, and when its deadline has passed
    /// before; until the socket is ready it must stay open.
    func add(_ connection: LoopbackConnection) -> Bool {
        guard !isOver, let place = free.popLast() else { return false }
        guard clinux_aio_poll(context, connection.descriptor, UInt16(POLLIN), bell, UInt64(place)) == 1 else {
            free.append(place)
            return false
        }
        watched[place] = connection
        note(connection.deadline)
        return true
    }

    /// Tells those whose sockets are ready.
    fileprivate func ring() {
        while case let count = Int(clinux_aio_events(context, &events, events.count)), count > 0 {
            for index in 0..<count where events[index].data != Self.probe {
                let place = Int(truncatingIfNeeded: events[index].data)
                let connection = watched[place]
                watched[place] = nil
                free.append(place)
                connection?.becameReadable()
            }
            if count < events.count { return }
        }
    }

    /// A connection that is watched has a deadline.
    func note(_ due: NIODeadline) {
        if let timer {
            guard due < timer.due else { return }
            timer.task.cancel()
        }
        let this = NIOLoopBound(self, eventLoop: loop)
        timer = (due, loop.scheduleTask(deadline: due) { this.value.timerFired() })
    }

    private func timerFired() {
        timer = nil
        let now = NIODeadline.now()
        var next: NIODeadline?
        for case let connection? in watched {
            if connection.deadline <= now {
                connection.expire()
            } else {
                next = min(next ?? .distantFuture, connection.deadline)
            }
        }
        if let next { note(next) }
    }

    /// The loop stops: nobody can be told any more.
    fileprivate func end() {
        guard !isOver else { return }
        isOver = true
        Self.watches.withLock { $0[ObjectIdentifier(loop)] = nil }
        timer?.task.cancel()
        _ = clinux_aio_destroy(context)
        let left = watched
        watched = []
        for connection in left { connection?.abandon() }
    }
}

/// Reads the eventfd, whose count nobody needs.
private final class BellHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let watch: SocketWatch

    init(_ watch: SocketWatch) { self.watch = watch }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { watch.ring() }

    func channelInactive(context: ChannelHandlerContext) { watch.end() }
}
