#if os(Linux)
import CLinux
import Glibc
import Synchronization

/// Somebody who joins the streams of a container that runs: `kubectl attach`.
///
/// Its events come in order, on any thread; the last one is ``Event/ended`` or ``Event/failed(_:)``, unless it leaves
/// earlier by ``cancel()``.
package final class AttachRequest: Sendable {
    package enum Event: Sendable {
        /// Attached; input is taken from now on.
        case started
        case output([UInt8], isError: Bool)
        /// The container has ended.
        case ended
        /// There is nothing to attach to.
        case failed(String)
    }

    private struct State {
        var streams: ContainerStreams?
        /// The terminal's size; it may come before the terminal does.
        var size: winsize?
        var isCancelled = false
    }

    let hasInput: Bool
    let report: @Sendable (Event) -> Void
    private let state = Mutex(State())

    package init(hasInput: Bool, report: @escaping @Sendable (Event) -> Void) {
        self.hasInput = hasInput
        self.report = report
    }

    /// Writes to the container's standard input, if it has one; waits while the container does not read.
    ///
    /// What comes before ``Event/started`` or is not read before the container's end is lost.
    package func write(_ bytes: [UInt8]) {
        guard hasInput, let streams = state.withLock({ $0.streams }) else { return }
        streams.writeInput(bytes) { !state.withLock { $0.isCancelled } }
    }

    /// There is no more input from here: for a container with `stdinOnce` that is the end of its input.
    package func closeInput() {
        if hasInput { state.withLock { $0.streams }?.endInput() }
    }

    /// Changes the size of the container's terminal.
    package func resize(columns: UInt16, rows: UInt16) {
        let size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        let streams = state.withLock { state in
            state.size = size
            return state.streams
        }
        streams?.resize(size)
    }

    /// Leaves; the container runs on.
    package func cancel() {
        let streams = state.withLock { state in
            state.isCancelled = true
            return state.streams.take()
        }
        streams?.detach(self)
    }

    // MARK: For the runtime

    func fail(_ reason: String) { report(.failed(reason)) }

    func join(_ streams: ContainerStreams, of container: String) {
        let size: winsize?? = state.withLock { state in
            guard !state.isCancelled else { return nil }
            state.streams = streams
            return .some(state.size)
        }
        guard let size else { return }
        guard streams.attach(self) else { return fail("container \(container) is not running") }
        if let size { streams.resize(size) }
        // Who has left meanwhile was not attached yet and did not detach.
        if state.withLock({ $0.isCancelled }) { streams.detach(self) }
    }
}
#endif
