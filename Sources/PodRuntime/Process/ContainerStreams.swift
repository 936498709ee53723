#if os(Linux)
import ClusterModel
import Glibc
import Synchronization

/// The standard streams of one run of a container: output goes to its log and to whoever is attached, and input comes from
/// those.
///
/// What a container with input writes before anybody has attached is kept, up to ``mostKept`` bytes, for the first who
/// does: whoever started it to talk to it sees its prompt.
final class ContainerStreams: ProcessOutput {
    /// Bytes kept for the first who attaches.
    static let mostKept = 64 * 1024

    private struct State {
        var attached: [ObjectIdentifier: AttachRequest] = [:]
        /// Output that nobody has seen; nil once somebody has attached.
        var unseen: [(bytes: [UInt8], isError: Bool)]?
        var unseenCount = 0
        /// nil for a container without input, and after its end.
        var input: ProcessInput?
        var isClosed = false
    }

    private let log: ContainerLog
    private let takesInput: Bool
    /// The first who attaches and leaves takes the input along.
    private let takesInputOnce: Bool
    private let state: Mutex<State>

    /// - Parameters:
    ///   - input: nil for a container without input.
    ///   - container: says whether its input is kept open.
    init(log: ContainerLog, input: ProcessInput?, of container: ContainerSpec) {
        self.log = log
        takesInput = container.hasInput
        takesInputOnce = container.hasInputOnce
        state = Mutex(State(unseen: container.hasInput ? [] : nil, input: input))
    }

    // MARK: From the process

    func write(_ bytes: UnsafeRawBufferPointer, isError: Bool) {
        log.write(bytes, isError: isError)
        state.withLock { state in
            if state.unseen != nil, state.unseenCount < Self.mostKept {
                let kept = Array(bytes.prefix(Self.mostKept - state.unseenCount))
                state.unseen?.append((kept, isError))
                state.unseenCount += kept.count
            }
            guard !state.attached.isEmpty else { return }
            let copy = Array(bytes)
            // Under the lock, so that everybody gets everything in order; reports only queue.
            for request in state.attached.values { request.report(.output(copy, isError: isError)) }
        }
    }

    func close() {
        log.close()
        state.withLock { state in
            state.isClosed = true
            state.input.take()?.stop()
            for request in state.attached.values { request.report(.ended) }
            state.attached = [:]
            state.unseen = nil
        }
    }

    // MARK: From who is attached

    /// From now on `request` hears what the container writes; false when the container has ended.
    func attach(_ request: AttachRequest) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            request.report(.started)
            for part in state.unseen.take() ?? [] { request.report(.output(part.bytes, isError: part.isError)) }
            state.attached[ObjectIdentifier(request)] = request
            return true
        }
    }

    func detach(_ request: AttachRequest) {
        let (wasAttached, input) = state.withLock { state in
            (state.attached.removeValue(forKey: ObjectIdentifier(request)) != nil, state.input)
        }
        // On a terminal the end of a session is no end of input: a shell on it runs on.
        if wasAttached, request.hasInput, takesInputOnce, input?.kind == .pipe { input?.end() }
    }

    /// Writes to the container's input; waits while the container does not read and `isWanted` says so.
    func writeInput(_ bytes: [UInt8], while isWanted: () -> Bool) {
        if takesInput { state.withLock { $0.input }?.write(bytes, while: isWanted) }
    }

    /// Somebody who was attached has no more input.
    func endInput() {
        if takesInput, takesInputOnce { state.withLock { $0.input }?.end() }
    }

    func resize(_ size: winsize) { state.withLock { $0.input }?.resize(size) }
}
#endif
