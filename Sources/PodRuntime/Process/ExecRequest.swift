#if os(Linux)
import CLinux
import Glibc
import Synchronization

/// A program that is run beside a container for somebody: `kubectl exec`.
///
/// Its events come in order, on any thread; the last one is ``Event/ended(_:)`` or ``Event/failed(_:)``.
package final class ExecRequest: Sendable {
    package enum Event: Sendable {
        /// Input is taken from now on.
        case started
        case output([UInt8], isError: Bool)
        /// With the exit code, as a container's.
        case ended(Int32)
        /// It could not be started.
        case failed(String)
    }

    private struct State {
        var pid: Int32?
        var host: ProcessHost?
        var input: ProcessInput?
        /// The terminal's size; it may come before the terminal does.
        var size: winsize?
        var isCancelled = false
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

    /// Writes to the program's standard input; waits while the program does not read.
    ///
    /// What comes before ``Event/started`` or is not read before the program's end is lost.
    package func write(_ bytes: [UInt8]) { state.withLock { $0.input }?.write(bytes) }

    /// Ends the program's standard input; on a terminal that is ^D.
    package func closeInput() { state.withLock { $0.input }?.end() }

    /// Changes the size of the program's terminal.
    package func resize(columns: UInt16, rows: UInt16) {
        let size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        let input = state.withLock { state in
            state.size = size
            return state.input
        }
        input?.resize(size)
    }

    /// Kills the program, at once or when it starts; nothing happens when it has ended.
    package func cancel() {
        let (pid, host) = state.withLock { state in
            state.isCancelled = true
            return (state.pid, state.host)
        }
        if let pid { host?.signal(pid, SIGKILL, wholeGroup: true) }
    }

    // MARK: For the runtime

    func fail(_ reason: String) { report(.failed(reason)) }

    func start(_ spec: ProcessSpec, on host: ProcessHost) {
        var spec = spec
        if hasTerminal { spec.environment.append(("TERM", "xterm")) }
        var streams = ProcessStreams.pipes(input: nil)
        var input: ProcessInput?
        if hasTerminal || hasInput {
            do throws(ProcessInputError) {
                let way = try ProcessInput.open(hasTerminal ? .terminal : .pipe)
                input = way.input
                streams = way.streams
            } catch {
                return fail(error.description)
            }
        }
        let size = state.withLock { [input] state in
            state.input = input
            state.host = host
            return state.size
        }
        if let size { input?.resize(size) }
        report(.started)
        host.spawn(
            spec, streams: streams, output: Output(report),
            started: { [self] result in
                switch result {
                case .success(let pid):
                    let isCancelled = state.withLock { state in
                        state.pid = pid
                        return state.isCancelled
                    }
                    if isCancelled { cancel() }
                case .failure(let error): fail(error.description)
                }
            },
            ended: { [self] exit in
                let input = state.withLock { state in
                    state.pid = nil
                    return state.input
                }
                input?.stop()
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
