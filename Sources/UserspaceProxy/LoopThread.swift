#if os(Linux)
import CLinux
import Glibc
import Logging
import Synchronization

/// Work for a loop from other threads.
final class LoopInbox: Sendable {
    typealias Work = @Sendable (inout EpollLoop) -> Void

    private let state = Mutex((works: [Work](), isClosed: false))
    private let bell: Int32

    /// - Parameter bell: an eventfd that the loop watches.
    init(bell: Int32) { self.bell = bell }

    /// Says whether the work will be done: not once the loop has ended.
    func put(_ work: @escaping Work) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isClosed else { return false }
            state.works.append(work)
            return true
        }
        if isTaken { eventfd_write(bell, 1) }
        return isTaken
    }

    /// The last work; from now on none is taken.
    func close() -> [Work] {
        state.withLock { state in
            state.isClosed = true
            defer { state.works = [] }
            return state.works
        }
    }

    func take() -> [Work] {
        var rings: eventfd_t = 0
        eventfd_read(bell, &rings)
        return state.withLock { state in
            defer { state.works = [] }
            return state.works
        }
    }
}

/// A thread that runs one ``EpollLoop``.
final class LoopThread: Sendable {
    private let thread: pthread_t
    private let inbox: LoopInbox
    private let descriptors: [Int32]

    init(_ settings: LoopSettings) throws(SocketFailure) {
        let epoll = epoll_create1(Int32(epollCloseOnExec))
        guard epoll >= 0 else { throw SocketFailure(code: errno) }
        let bell = eventfd(0, eventNonBlockingCloseOnExec)
        guard bell >= 0 else {
            let code = errno
            close(epoll)
            throw SocketFailure(code: code)
        }
        descriptors = [epoll, bell]
        inbox = LoopInbox(bell: bell)
        _ = clinux_epoll_ctl(
            epoll, EPOLL_CTL_ADD, bell, Readiness.input,
            Token(.wake, Token.Place(index: 0, generation: 0)).bits)
        var thread = pthread_t()
        let start = Unmanaged.passRetained(LoopStart(settings: settings, inbox: inbox, epoll: epoll))
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                // Signals are for others to handle; a broken pipe comes as an error of splice.
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_BLOCK, &all, nil)
                let start = Unmanaged<LoopStart>.fromOpaque(argument).takeRetainedValue()
                var loop = EpollLoop(settings: start.settings, inbox: start.inbox, epoll: start.epoll)
                loop.run()
                return nil
            }, start.toOpaque())
        self.thread = thread
        guard code == 0 else {
            start.release()
            close(bell)
            close(epoll)
            throw SocketFailure(code: code)
        }
    }

    /// Has the loop do something soon; false when it has ended.
    func perform(_ work: @escaping LoopInbox.Work) -> Bool { inbox.put(work) }

    /// Ends the loop and waits until everything of it is closed.
    ///
    /// To be called once.
    func join() {
        _ = inbox.put { $0.isStopping = true }
        pthread_join(thread, nil)
        for descriptor in descriptors { close(descriptor) }
    }
}

private final class LoopStart {
    let settings: LoopSettings
    let inbox: LoopInbox
    let epoll: Int32

    init(settings: LoopSettings, inbox: LoopInbox, epoll: Int32) {
        self.settings = settings
        self.inbox = inbox
        self.epoll = epoll
    }
}

private let epollCloseOnExec = 0o2000000
private let eventNonBlockingCloseOnExec: Int32 = 0o2000000 | 0o4000
#endif
