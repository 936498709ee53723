#if os(Linux)
import CLinux
import Dispatch
import Glibc
import Logging
import Synchronization

/// Work for a loop from other threads.
final class LoopInbox: Sendable {
    typealias Work = @Sendable (inout RelayLoop) -> Void

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

/// A thread that runs one ``RelayLoop``.
final class LoopThread: Sendable {
    private let thread: pthread_t
    private let inbox: LoopInbox
    private let descriptors: [Int32]

    /// Returns when the loop runs.
    init(_ settings: LoopSettings, usesRing: Bool) throws(SocketFailure) {
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
        let start = LoopStart(settings: settings, inbox: inbox, epoll: epoll, usesRing: usesRing)
        let own = Unmanaged.passRetained(start)
        var code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<LoopStart>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, own.toOpaque())
        self.thread = thread
        if code != 0 {
            own.release()
        } else {
            code = start.result()
            if code != 0 { pthread_join(thread, nil) }
        }
        guard code == 0 else {
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

/// What a thread begins with, and its answer.
private final class LoopStart: Sendable {
    private let settings: LoopSettings
    private let inbox: LoopInbox
    private let epoll: Int32
    private let usesRing: Bool
    private let answer = Mutex<Int32>(0)
    private let isAnswered = DispatchSemaphore(value: 0)

    init(settings: LoopSettings, inbox: LoopInbox, epoll: Int32, usesRing: Bool) {
        self.settings = settings
        self.inbox = inbox
        self.epoll = epoll
        self.usesRing = usesRing
    }

    /// 0 as soon as the loop runs, or the error for which it cannot.
    func result() -> Int32 {
        isAnswered.wait()
        return answer.withLock { $0 }
    }

    /// Runs the loop in the calling thread.
    func run() {
        // Signals are for others to handle; a broken pipe comes as an error of splice.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        do {
            // Made here, since a ring belongs to a thread.
            var loop = RelayLoop(
                settings: settings, inbox: inbox, epoll: epoll, engine: usesRing ? try RingEngine() : nil)
            isAnswered.signal()
            loop.run()
        } catch {
            answer.withLock { $0 = error.code }
            isAnswered.signal()
        }
    }
}

private let epollCloseOnExec = 0o2000000
private let eventNonBlockingCloseOnExec: Int32 = 0o2000000 | 0o4000
#endif
