#if os(Linux)
import ClusterModel
import Glibc
import Synchronization

/// The log of one run of one container: a file of lines as container runtimes write them,
/// `2026-11-24T15:04:05.123456789Z stdout F text` (`P` instead of `F`: the line goes on).
///
/// At 10 MiB the file becomes `<name>.1` and a new one begins, so a talkative container takes at most 20 MiB.
package final class ContainerLog: ProcessOutput {
    /// Bytes after which a line is cut into parts.
    private static let longestLine = 16384
    private static let largestFile = 10 << 20

    private struct State {
        var descriptor: Int32
        var size: Int
        var partial: (out: [UInt8], err: [UInt8]) = ([], [])
    }

    package let path: String
    private let state: Mutex<State>
    private let now: @Sendable () -> (seconds: Int64, nanoseconds: Int64)

    /// Begins a new file at `path`; its folder must exist.
    ///
    /// Without a file (disk full, no right) output is lost, and the container runs on.
    package init(
        path: String,
        now: @escaping @Sendable () -> (seconds: Int64, nanoseconds: Int64) = ContainerLog.systemTime
    ) {
        self.path = path
        self.now = now
        state = Mutex(State(descriptor: ContainerLog.open(path), size: 0))
    }

    /// Takes output, writes the whole lines in it and keeps the rest for the next call.
    package func write(_ bytes: UnsafeRawBufferPointer, isError: Bool) {
        state.withLock { state in
            var pending = isError ? state.partial.err : state.partial.out
            pending.append(contentsOf: bytes)
            var text: [UInt8] = []
            var start = 0
            while let newline = pending[start...].firstIndex(of: 0x0A) {
                append(pending[start..<newline], isWhole: true, isError: isError, to: &text)
                start = newline + 1
            }
            while pending.count - start > Self.longestLine {
                append(pending[start..<start + Self.longestLine], isWhole: false, isError: isError, to: &text)
                start += Self.longestLine
            }
            pending.removeFirst(start)
            if isError { state.partial.err = pending } else { state.partial.out = pending }
            put(text, &state)
        }
    }

    package func close() {
        state.withLock { state in
            var text: [UInt8] = []
            if !state.partial.out.isEmpty {
                append(state.partial.out[...], isWhole: true, isError: false, to: &text)
            }
            if !state.partial.err.isEmpty {
                append(state.partial.err[...], isWhole: true, isError: true, to: &text)
            }
            state.partial = ([], [])
            put(text, &state)
            if state.descriptor >= 0 { Glibc.close(state.descriptor) }
            state.descriptor = -1
        }
    }

    /// One line of the runtime's own, such as why a container could not start.
    package func note(_ text: String) {
        var bytes = Array(text.utf8)
        bytes.append(0x0A)
        bytes.withUnsafeBytes { write($0, isError: true) }
    }

    private func append(_ line: ArraySlice<UInt8>, isWhole: Bool, isError: Bool, to text: inout [UInt8]) {
        let (seconds, nanoseconds) = now()
        let stamp = Timestamp.text(unixSeconds: seconds).dropLast()
        let digits = String(nanoseconds)
        text += stamp.utf8
        text.append(0x2E)
        text += repeatElement(0x30, count: max(0, 9 - digits.utf8.count))
        text += digits.utf8
        text += (isError ? "Z stderr " : "Z stdout ").utf8
        text += (isWhole ? "F " : "P ").utf8
        text += line
        text.append(0x0A)
    }

    private func put(_ text: [UInt8], _ state: inout State) {
        guard state.descriptor >= 0, !text.isEmpty else { return }
        if state.size > 0, state.size + text.count > Self.largestFile {
            Glibc.close(state.descriptor)
            rename(path, path + ".1")
            state.descriptor = Self.open(path)
            state.size = 0
        }
        var rest = text[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        state.size += text.count
    }

    private static func open(_ path: String) -> Int32 {
        Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0o640)
    }

    /// The system's wall clock.
    package static func systemTime() -> (seconds: Int64, nanoseconds: Int64) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (Int64(time.tv_sec), Int64(time.tv_nsec))
    }
}

/// Keeps the first bytes of a program's output in memory: for exec probes.
final class CapturedOutput: ProcessOutput {
    private let bytes = Mutex<[UInt8]>([])
    private let limit: Int

    init(limit: Int = 10240) { self.limit = limit }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

    func write(_ new: UnsafeRawBufferPointer, isError: Bool) {
        bytes.withLock { $0.append(contentsOf: new.prefix(limit - min(limit, $0.count))) }
    }

    func close() {}
}
#endif
