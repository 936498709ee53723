#if os(Linux)
import CLinux
import Glibc
import Synchronization

/// The way into a process's standard input: a pipe, or a terminal with a size.
///
/// It holds the descriptor until ``end()`` or until nobody refers to it any more.
final class ProcessInput: Sendable {
    enum Kind: Sendable {
        case pipe
        case terminal
    }

    private struct State {
        /// Where input is written to, until it is closed.
        var descriptor: Int32?
        /// The process has ended: what it has not read is lost.
        var isOver = false
    }

    let kind: Kind
    private let state: Mutex<State>

    private init(_ kind: Kind, _ descriptor: Int32) {
        self.kind = kind
        state = Mutex(State(descriptor: descriptor))
    }

    deinit {
        if let descriptor = state.withLock({ $0.descriptor }) { close(descriptor) }
    }

    /// A new pipe or terminal, and the streams of the process at its other end.
    ///
    /// - Throws: the kernel's words.
    static func open(_ kind: Kind) throws(ProcessInputError) -> (input: ProcessInput, streams: ProcessStreams) {
        switch kind {
        case .pipe:
            var ends: [Int32] = [-1, -1]
            guard pipe2(&ends, Int32(O_CLOEXEC)) == 0 else { throw .now("no pipe") }
            _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
            return (ProcessInput(kind, ends[1]), .pipes(input: ends[0]))
        case .terminal:
            var master: Int32 = -1
            var slave: Int32 = -1
            guard openpty(&master, &slave, nil, nil, nil) == 0 else { throw .now("no terminal") }
            for descriptor in [master, slave] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
            let input = fcntl(master, F_DUPFD_CLOEXEC, 0)
            guard input >= 0 else {
                defer { for descriptor in [master, slave] { close(descriptor) } }
                throw .now("no terminal")
            }
            return (ProcessInput(kind, input), .terminal(master: master, slave: slave))
        }
    }

    /// Writes to the process; waits while it does not read, as long as `isWanted` says so.
    func write(_ bytes: [UInt8], while isWanted: () -> Bool = { true }) {
        guard let descriptor = state.withLock({ $0.descriptor }) else { return }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, 100)
                if state.withLock({ $0.isOver }) || !isWanted() { return }
                continue
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Ends the input; on a terminal that is ^D.
    func end() {
        if kind == .terminal { return write([4]) }
        if let descriptor = state.withLock({ $0.descriptor.take() }) { close(descriptor) }
    }

    /// Changes the size of a terminal.
    func resize(_ size: winsize) {
        guard kind == .terminal, let descriptor = state.withLock({ $0.descriptor }) else { return }
        var size = size
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
    }

    /// The process has ended, so that nobody has to wait for it to read.
    func stop() { state.withLock { $0.isOver = true } }
}

/// Why a process can have no input; `description` names what is missing and the kernel's reason.
struct ProcessInputError: Error, CustomStringConvertible {
    let description: String

    fileprivate static func now(_ what: String) -> Self {
        Self(description: "\(what): \(String(cString: strerror(errno)))")
    }
}
#endif
