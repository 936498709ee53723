#if os(Linux)
import CLinux
import Glibc
import Synchronization

/// A program that is run beside a container for somebody: `kubectl exec`.
///
/// Its events come in order, on the runtime's threads; the last one is ``Event/ended(_:)`` or ``Event/failed(_:)``.
package final class ExecRequest: Sendable {
    package enum Event: Sendable {
        case output([UInt8], isError: Bool)
        /// With the exit code, as a container's.
        case ended(Int32)
        /// It could not be started.
        case failed(String)
    }

    private struct State {
        var pid: Int32?
        var host: ProcessHost?
        /// Where input is written to, until it is closed.
        var input: Int32?
        /// The terminal's size; it may come before the terminal does.
        var size: winsize?
        var isOver = false
    }

    package let command: [String]
    private let hasInput: Bool
    private let hasTerminal: Bool
    private let report: @Sendable (Event) -> Void
    private let state = Mutex(State())

    package init(
        command: [String], hasInput: Bool, hasTerminal: Bool, report: @escaping @Sendable (Event) -> Void
    ) {
        self.command = command
        self.hasInput = hasInput
        self.hasTerminal = hasTerminal
        self.report = report
    }

    deinit {
        if let input = state.withLock({ $0.input }) { close(input) }
    }

    /// Writes to the program's standard input; waits while the program does not read.
    ///
    /// What a program that has ended does not read is lost.
    package func write(_ bytes: [UInt8]) {
        guard let descriptor = state.withLock({ $0.input }) else { return }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, 100)
                if state.withLock({ $0.isOver }) { return }
                continue
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Ends the program's standard input; on a terminal that is ^D.
    package func closeInput() {
        if hasTerminal { return write([4]) }
        if let descriptor = state.withLock({ $0.input.take() }) { close(descriptor) }
    }

    /// Changes the size of the program's terminal.
    package func resize(columns: UInt16, rows: UInt16) {
        guard hasTerminal else { return }
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        let descriptor = state.withLock { [size] state in
            state.size = size
            return state.input
        }
        if let descriptor { _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size) }
    }

    /// Kills the program; nothing happens when it has ended.
    package func cancel() {
        let (pid, host) = state.withLock { ($0.pid, $0.host) }
        if let pid { host?.signal(pid, SIGKILL, wholeGroup: true) }
    }

    // MARK: For the runtime

    func fail(_ reason: String) {
        state.withLock { $0.isOver = true }
        report(.failed(reason))
    }

    func start(_ spec: ProcessSpec, on host: ProcessHost) {
        var spec = spec
        if hasTerminal { spec.environment.append(("TERM", "xterm")) }
        let streams: ProcessStreams
        let input: Int32?
        if hasTerminal {
            var master: Int32 = -1
            var slave: Int32 = -1
            guard openpty(&master, &slave, nil, nil, nil) == 0 else {
                return fail("no terminal: \(String(cString: strerror(errno)))")
            }
            for descriptor in [master, slave] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
            input = fcntl(master, F_DUPFD_CLOEXEC, 0)
            streams = .terminal(master: master, slave: slave)
        } else if hasInput {
            var ends: [Int32] = [-1, -1]
            guard pipe2(&ends, Int32(O_CLOEXEC)) == 0 else {
                return fail("no pipe: \(String(cString: strerror(errno)))")
            }
            _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
            input = ends[1]
            streams = .pipes(input: ends[0])
        } else {
            input = nil
            streams = .pipes(input: nil)
        }
        let size = state.withLock { state in
            state.input = input
            state.host = host
            return state.size
        }
        if hasTerminal, let input, var size { _ = ioctl(input, UInt(TIOCSWINSZ), &size) }
        host.spawn(
            spec, streams: streams, output: Output(report),
            started: { [self] result in
                switch result {
                case .success(let pid): state.withLock { $0.pid = pid }
                case .failure(let error): fail(error.description)
                }
            },
            ended: { [self] exit in
                state.withLock { state in
                    state.pid = nil
                    state.isOver = true
                }
                report(.ended(exit.containerExitCode))
            })
    }

    private final class Output: ProcessOutput {
        private let report: @Sendable (Event) -> Void

        init(_ report: @escaping @Sendable (Event) -> Void) { self.report = report }

        func write(_ bytes: UnsafeRawBufferPointer, isError: Bool) { report(.output(Array(bytes), isError: isError)) }
        func close() {}
    }
}
#endif
