import CLinux
import FoundationEssentials
import Glibc

/// Starts the suite in the background: `kiada-suite up --detach`.
///
/// The same program is started again without `--detach`, in a session of its own, its output in `suite.log`, and with a
/// pipe through which it says `ready` or what is wrong. So the command waits for an event, not for time to pass.
package enum BackgroundStart {
    /// Seconds in which a suite that has failed stops its pods; their grace period is 30.
    private static let stopLimit: Int32 = 40

    /// Returns when the suite is ready.
    ///
    /// - Throws: ``SuiteError`` with the reason when it has ended, or is not ready within `timeout` seconds; it is then
    ///   stopped.
    package static func run(directory: StateDirectory, timeout: Int) throws(SuiteError) {
        try directory.create()
        var channel: [Int32] = [-1, -1]
        guard pipe(&channel) == 0 else { throw SuiteError("cannot make a pipe: \(String(cString: strerror(errno)))") }
        defer { close(channel[0]) }
        for descriptor in channel { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        let pid = try start(directory, writeEnd: channel[1])
        close(channel[1])

        var message = ""
        let deadline = ContinuousClock.now + .seconds(timeout) + .seconds(2)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            var descriptor = pollfd(fd: channel[0], events: Int16(POLLIN), revents: 0)
            guard left > .zero, poll(&descriptor, 1, Int32(clamping: left.components.seconds * 1000 + 999)) > 0 else {
                kill(pid, SIGKILL)
                throw SuiteError("not ready within \(timeout) s; see \(directory.suiteLog)")
            }
            let count = read(channel[0], &buffer, buffer.count)
            if count <= 0 { break }
            message += String(decoding: buffer[..<count], as: UTF8.self)
            if message.hasPrefix("ready\n") {
                print(message.dropFirst(6), terminator: "")
                return
            }
        }
        // It says why first, and then stops in order.
        waitForEnd(of: pid)
        let reason =
            message.isEmpty
            ? "it has ended; see \(directory.suiteLog)"
            : message.split(whereSeparator: \.isNewline).joined(separator: "\n")
        throw SuiteError(reason)
    }

    /// Waits until the process has ended; one that takes longer than ``stopLimit`` is killed.
    private static func waitForEnd(of pid: pid_t) {
        let process = clinux_pidfd_open(pid)
        if process >= 0 {
            defer { close(process) }
            var descriptor = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, stopLimit * 1000) == 0 { kill(pid, SIGKILL) }
        }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    private static func start(_ directory: StateDirectory, writeEnd: Int32) throws(SuiteError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, directory.suiteLog, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_adddup2(&actions, writeEnd, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        posix_spawnattr_setflags(&attributes, Int16(CLINUX_POSIX_SPAWN_SETSID))
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        let arguments = CommandLine.arguments.filter { $0 != "--detach" } + ["--ready-descriptor", "3"]
        var argv = arguments.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, &argv, environ)
        guard result == 0 else {
            throw SuiteError("cannot start in the background: \(String(cString: strerror(result)))")
        }
        return pid
    }
}
