#if os(Linux)
import CLinux
import CPodProcess
import Glibc
import Synchronization

/// Starts the processes of all containers, reads their output and notices their end: one thread for all.
///
/// One thread that lives as long as the host, because the kernel kills our processes when the *thread* that
/// started them ends (PR_SET_PDEATHSIG): so none of them outlives this program, not even after `kill -9`.
///
/// `@unchecked Sendable`: `table` belongs to the thread; `pending` is guarded by its mutex.
package final class ProcessHost: @unchecked Sendable {
    /// Tells of a process that was started.
    package typealias Started = @Sendable (Result<Int32, SpawnError>) -> Void
    /// Tells of a process that has ended, after the last byte of its output.
    package typealias Ended = @Sendable (ProcessExit) -> Void

    private enum Command {
        case spawn(ProcessSpec, ProcessStreams, any ProcessOutput, Started, Ended)
        case signal(pid_t, Int32, wholeGroup: Bool)
        case stop
    }

    private struct Running {
        let pid: pid_t
        let pidfd: Int32
        var pipes: [(descriptor: Int32, isError: Bool)]
        let output: any ProcessOutput
        let ended: Ended
    }

    private let pending = Mutex<[Command]>([])
    private let wakeup: Int32
    private var table: [Running] = []
    private let stopped = Latch()

    package init() {
        wakeup = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<ProcessHost>.fromOpaque(argument).takeRetainedValue().loop() }
                return nil
            }, retained)
        pthread_detach(thread)
    }

    /// Starts a process; `started` and then, unless it failed, `ended` are called on the host's thread.
    package func spawn(
        _ spec: ProcessSpec, streams: ProcessStreams = .pipes(input: nil), output: any ProcessOutput,
        started: @escaping Started, ended: @escaping Ended
    ) {
        send(.spawn(spec, streams, output, started, ended))
    }

    /// Sends a signal to a process started here, or to all of its session's group; ignored once it has ended.
    package func signal(_ pid: Int32, _ number: Int32, wholeGroup: Bool = false) {
        send(.signal(pid, number, wholeGroup: wholeGroup))
    }

    /// Kills what still runs, ends the thread and returns when both are done.
    package func stop() {
        send(.stop)
        stopped.wait()
    }

    private func send(_ command: Command) {
        pending.withLock { $0.append(command) }
        eventfd_write(wakeup, 1)
    }

    // MARK: The thread

    private func loop() {
        var isStopping = false
        while !(isStopping && table.isEmpty) {
            poll()
            var count: eventfd_t = 0
            eventfd_read(wakeup, &count)
            for command in pending.withLock({ commands in
                defer { commands = [] }
                return commands
            }) {
                switch command {
                case .spawn(let spec, let streams, let output, let started, let ended):
                    if isStopping {
                        Self.release(streams)
                        output.close()
                        started(
                            .failure(
                                SpawnError(
                                    program: spec.program, stage: .fork, number: ECANCELED, reason: "stopping")))
                    } else {
                        start(spec, streams, output, started, ended)
                    }
                case .signal(let pid, let number, let wholeGroup):
                    if table.contains(where: { $0.pid == pid }) { kill(wholeGroup ? -pid : pid, number) }
                case .stop:
                    isStopping = true
                    for process in table { kill(-process.pid, SIGKILL) }
                }
            }
        }
        close(wakeup)
        stopped.open()
    }

    /// Waits for anything to happen, then reads what there is and collects who has ended.
    private func poll() {
        var descriptors = [pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0)]
        for process in table {
            descriptors.append(pollfd(fd: process.pidfd, events: Int16(POLLIN), revents: 0))
            descriptors += process.pipes.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        }
        guard Glibc.poll(&descriptors, nfds_t(descriptors.count), -1) > 0 else { return }
        let active = Set(descriptors.filter { $0.revents != 0 }.map(\.fd))
        for index in table.indices.reversed() {
            readPipes(ofProcessAt: index) { active.contains($0) }
            guard active.contains(table[index].pidfd) else { continue }
            var exited: Int32 = 0
            var code: Int32 = 0
            guard cpod_reap(table[index].pidfd, &exited, &code) == 1 else { continue }
            // As in a container: when its first process ends, all of it ends.
            kill(-table[index].pid, SIGKILL)
            readPipes(ofProcessAt: index) { _ in true }
            let process = table.remove(at: index)
            for pipe in process.pipes { close(pipe.descriptor) }
            close(process.pidfd)
            process.output.close()
            process.ended(exited != 0 ? .code(code) : .signal(code))
        }
    }

    private func readPipes(ofProcessAt index: Int, where isWanted: (Int32) -> Bool) {
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { buffer in
            for pipe in table[index].pipes where isWanted(pipe.descriptor) {
                while true {
                    let count = read(pipe.descriptor, buffer.baseAddress, buffer.count)
                    if count > 0 {
                        table[index].output.write(
                            UnsafeRawBufferPointer(rebasing: buffer[..<count]), isError: pipe.isError)
                        if count == buffer.count { continue }
                    } else if count == 0 || errno == EIO {
                        // A terminal that nobody has open any more says EIO instead of the end.
                        close(pipe.descriptor)
                        table[index].pipes.removeAll { $0.descriptor == pipe.descriptor }
                    }
                    break
                }
            }
        }
    }

    private func start(
        _ spec: ProcessSpec, _ streams: ProcessStreams, _ output: any ProcessOutput, _ started: Started,
        _ ended: @escaping Ended
    ) {
        if case .terminal(let master, let slave) = streams {
            return start(spec, onTerminal: slave, master: master, output, started, ended)
        }
        defer { Self.release(streams) }
        var out: [Int32] = [-1, -1]
        var err: [Int32] = [-1, -1]
        func closeAll() { for descriptor in out + err where descriptor >= 0 { close(descriptor) } }
        func fail(_ stage: SpawnError.Stage, _ number: Int32) {
            closeAll()
            output.close()
            let reason = String(cString: strerror(number)).lowercased()
            started(.failure(SpawnError(program: spec.program, stage: stage, number: number, reason: reason)))
        }
        guard pipe2(&out, Int32(O_CLOEXEC)) == 0, pipe2(&err, Int32(O_CLOEXEC)) == 0 else {
            return fail(.fork, errno)
        }
        for descriptor in [out[0], err[0]] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }

        var pid: pid_t = 0
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        var input: Int32 = -1
        if case .pipes(let descriptor?) = streams { input = descriptor }
        let result = spec.withCSpec(input: input, output: out[1], error: err[1]) {
            cpod_spawn($0, &pid, &pidfd, &stage)
        }
        guard result == 0 else { return fail(SpawnError.Stage(rawValue: stage) ?? .fork, result) }
        close(out[1])
        close(err[1])
        table.append(
            Running(pid: pid, pidfd: pidfd, pipes: [(out[0], false), (err[0], true)], output: output, ended: ended))
        started(.success(pid))
    }

    private func start(
        _ spec: ProcessSpec, onTerminal slave: Int32, master: Int32, _ output: any ProcessOutput, _ started: Started,
        _ ended: @escaping Ended
    ) {
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        var pid: pid_t = 0
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        let result = spec.withCSpec(input: slave, output: slave, error: slave, isTerminal: true) {
            cpod_spawn($0, &pid, &pidfd, &stage)
        }
        Glibc.close(slave)
        guard result == 0 else {
            Glibc.close(master)
            output.close()
            let reason = String(cString: strerror(result)).lowercased()
            let failed = SpawnError.Stage(rawValue: stage) ?? .fork
            return started(
                .failure(SpawnError(program: spec.program, stage: failed, number: result, reason: reason)))
        }
        table.append(Running(pid: pid, pidfd: pidfd, pipes: [(master, false)], output: output, ended: ended))
        started(.success(pid))
    }

    private static func release(_ streams: ProcessStreams) {
        switch streams {
        case .pipes(let input): if let input { Glibc.close(input) }
        case .terminal(let master, let slave):
            Glibc.close(master)
            Glibc.close(slave)
        }
    }
}

extension ProcessSpec {
    /// Lends this spec in C's form.
    fileprivate func withCSpec<R>(
        input: Int32, output: Int32, error: Int32, isTerminal: Bool = false, _ body: (UnsafePointer<cpod_spec>) -> R
    ) -> R {
        var seen: Set<String> = []
        let variables = environment.reversed().filter { seen.insert($0.name).inserted }.reversed()
        var strings: [UnsafeMutablePointer<CChar>?] = []
        func keep(_ text: String) -> UnsafeMutablePointer<CChar>? {
            let copy = strdup(text)
            strings.append(copy)
            return copy
        }
        defer { for string in strings { free(string) } }
        let argv = ([name ?? program] + arguments).map(keep) + [nil]
        let envp = variables.map { keep("\($0.name)=\($0.value)") } + [nil]
        let cBinds = (joined == nil ? binds : []).map { bind in
            cpod_bind(source: keep(bind.source), target: keep(bind.target), flags: bind.flags)
        }
        return argv.withUnsafeBufferPointer { argv in
            envp.withUnsafeBufferPointer { envp in
                cBinds.withUnsafeBufferPointer { cBinds in
                    var spec = cpod_spec(
                        path: keep(program), argv: argv.baseAddress, envp: envp.baseAddress,
                        directory: directory.flatMap(keep), hostname: joined == nil ? hostname.flatMap(keep) : nil,
                        root: joined == nil ? root.flatMap(keep) : nil, binds: cBinds.baseAddress,
                        bind_count: cBinds.count, join: joined ?? 0, is_trial: isTrial ? 1 : 0, input: input,
                        is_terminal: isTerminal ? 1 : 0, output: output, error: error)
                    return body(&spec)
                }
            }
        }
    }
}

extension ProcessSpec.Bind {
    fileprivate var flags: Int32 {
        let all: [(Bool, cpod_bind_flags)] = [
            (isRecursive, CPOD_RECURSIVE), (isReadOnly, CPOD_READ_ONLY), (isOptional, CPOD_OPTIONAL),
            (isFile, CPOD_FILE), (isLayered, CPOD_LAYERED), (isInLayer, CPOD_IN_LAYER),
        ]
        return all.reduce(0) { $1.0 ? $0 | Int32($1.1.rawValue) : $0 }
    }
}

/// A gate that opens once; `wait` blocks the calling thread until then.
private final class Latch: Sendable {
    private let descriptor = eventfd(0, Int32(EFD_CLOEXEC))

    deinit { close(descriptor) }

    func open() { eventfd_write(descriptor, 1) }

    func wait() {
        var count: eventfd_t = 0
        while eventfd_read(descriptor, &count) != 0, errno == EINTR {}
        eventfd_write(descriptor, 1)
    }
}
#endif
