#if os(Linux)
import Glibc
import Synchronization

/// Runs exec probes: exit code 0 is success, a timeout is failure (semantics 4.5).
enum ExecProbe {
    /// One attempt: `spec` is run on `host` and killed after `timeout`.
    static func run(_ spec: ProcessSpec, on host: ProcessHost, timeout: Duration) async -> ProbeOutcome {
        let output = CapturedOutput()
        let (results, continuation) = AsyncStream.makeStream(of: ProbeOutcome.self)
        let running = Mutex<pid_t?>(nil)
        host.spawn(
            spec, output: output,
            started: { result in
                switch result {
                case .success(let pid): running.withLock { $0 = pid }
                case .failure(let error): continuation.yield(.failure(error.description))
                }
            },
            ended: { exit in
                running.withLock { $0 = nil }
                switch exit {
                case .code(0): continuation.yield(.success)
                default: continuation.yield(.failure(output.text))
                }
            })
        let outcome = await withTaskGroup(of: ProbeOutcome?.self) { group in
            group.addTask {
                for await outcome in results { return outcome }
                return nil
            }
            group.addTask {
                try? await ContinuousClock().sleep(for: timeout)
                return .failure("command timed out after \(timeout.components.seconds)s")
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        if let pid = running.withLock({ $0 }) { host.signal(pid, SIGKILL, wholeGroup: true) }
        return outcome ?? .discarded("cancelled")
    }
}
#endif
