import Foundation
import Synchronization

/// A real program run by a test, its output in files; it is killed when the test lets go of it.
package final class ChildProcess: Sendable {
    /// How a program has ended.
    package struct Exit: Equatable, Sendable {
        /// The exit code, or 128 and the signal.
        package let code: Int32
        package let output: String
        package let errors: String
    }

    package struct SpawnFailure: Error {
        package let message: String
    }

    package let pid: Int32
    private let isReaped = Mutex(false)
    private let folder: TemporaryFolder

    /// Starts `program`, with a clean environment but for PATH and HOME.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws {
        folder = try TemporaryFolder("child")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (descriptor, name) in [(Int32(1), "out"), (Int32(2), "err")] {
            posix_spawn_file_actions_addopen(
                &actions, descriptor, "\(folder.path)/\(name)", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        var variables = environment
        for name in ["PATH", "HOME"] where variables[name] == nil {
            variables[name] = ProcessInfo.processInfo.environment[name]
        }
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let result = posix_spawnp(&pid, program, &actions, nil, &argv, &envp)
        guard result == 0 else {
            throw SpawnFailure(message: "\(program): \(String(cString: strerror(result)))")
        }
        self.pid = pid
    }

    deinit {
        guard !isReaped.withLock({ $0 }) else { return }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// Runs a program to its end.
    package static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Exit {
        try await ChildProcess(program, arguments, environment: environment).wait()
    }

    package func signal(_ number: Int32) { kill(pid, number) }

    /// What the program has written so far.
    package var output: String { text("out") }
    package var errors: String { text("err") }

    /// Waits for the program's end.
    package func wait() async -> Exit {
        let pid = pid
        // A thread of its own: a test must not hold up the others.
        let status: Int32 = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var status: Int32 = 0
                while waitpid(pid, &status, 0) < 0, errno == EINTR {}
                continuation.resume(returning: status)
            }
        }
        isReaped.withLock { $0 = true }
        let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        return Exit(code: code, output: output, errors: errors)
    }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: URL(filePath: "\(folder.path)/\(name)"), encoding: .utf8)) ?? ""
    }
}
