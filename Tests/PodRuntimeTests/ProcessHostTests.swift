#if os(Linux)
import Foundation
import KiadaTesting
import PodRuntime
import Synchronization
import Testing

/// Collects what a process wrote.
private final class Collected: ProcessOutput {
    let out = Mutex("")
    let err = Mutex("")
    let isClosed = Mutex(false)

    func write(_ bytes: UnsafeRawBufferPointer, isError: Bool) {
        let text = String(decoding: bytes, as: UTF8.self)
        if isError { err.withLock { $0 += text } } else { out.withLock { $0 += text } }
    }
    func close() { isClosed.withLock { $0 = true } }
}

@Suite(.timeLimit(.minutes(1)))
struct ProcessHostTests {
    private let host = ProcessHost()

    private enum Outcome: Equatable {
        case ended(ProcessExit)
        case failed(SpawnError.Stage, String)
    }

    /// Runs a shell command to its end; `whileRunning` gets the process id.
    private func run(
        _ spec: ProcessSpec, output: Collected = Collected(),
        whileRunning: @escaping @Sendable (Int32) -> Void = { _ in }
    ) async -> Outcome {
        await withCheckedContinuation { continuation in
            host.spawn(
                spec, output: output,
                started: { result in
                    switch result {
                    case .success(let pid): whileRunning(pid)
                    case .failure(let error): continuation.resume(returning: .failed(error.stage, error.reason))
                    }
                },
                ended: { continuation.resume(returning: .ended($0)) })
        }
    }

    private func shell(_ script: String) -> ProcessSpec {
        ProcessSpec(
            program: "/bin/sh", arguments: ["-c", script],
            environment: [("PATH", "/usr/bin:/bin"), ("A", "1"), ("A", "2")])
    }

    @Test("Output of both streams arrives whole before the end is told, and the later variable of a name wins")
    func output() async {
        let output = Collected()
        let outcome = await run(
            shell("echo $A; echo oops >&2; head -c 300000 /dev/zero | tr '\\0' x; exit 3"), output: output)
        #expect(outcome == .ended(.code(3)))
        #expect(output.out.withLock { $0.utf8.count } == 300_002)
        #expect(output.out.withLock { $0.hasPrefix("2\n") })
        #expect(output.err.withLock { $0 } == "oops\n")
        #expect(output.isClosed.withLock { $0 })
        host.stop()
    }

    @Test("A process that a signal ends says which")
    func signal() async {
        let outcome = await run(shell("exec sleep 60")) { [host] pid in host.signal(pid, 15) }
        #expect(outcome == .ended(.signal(15)))
        #expect(ProcessExit.signal(15).containerExitCode == 143)
        host.stop()
    }

    @Test("5.6, S52: an environment that the kernel refuses fails with 'argument list too long'")
    func tooLong() async {
        var spec = shell("true")
        spec.environment = (0..<100).map { ("V\($0)", String(repeating: "x", count: 100_000)) }
        #expect(await run(spec) == .failed(.exec, "argument list too long"))
        host.stop()
    }

    @Test("A program or folder that is not there is told by the kernel's own words")
    func missing() async {
        #expect(await run(ProcessSpec(program: "/nonexistent")) == .failed(.exec, "no such file or directory"))
        var spec = shell("true")
        spec.directory = "/nonexistent"
        #expect(await run(spec) == .failed(.directory, "no such file or directory"))
        host.stop()
    }

    @Test("No descriptor but the three standard ones is inherited")
    func descriptors() async throws {
        let folder = try TemporaryFolder()
        let held = FileHandle(forReadingAtPath: try folder.write("x", to: "held"))
        let output = Collected()
        _ = await run(shell("ls -l /proc/self/fd | grep -c held; true"), output: output)
        #expect(output.out.withLock { $0 } == "0\n")
        try held?.close()
        host.stop()
    }

    @Test("When a container's first process ends, its children end too; stop() leaves none")
    func children() async throws {
        let output = Collected()
        _ = await run(shell("sleep 60 & echo $!"), output: output)
        let child = try #require(Int32(output.out.withLock { $0.trimmingCharacters(in: .whitespacesAndNewlines) }))
        host.stop()
        // The kernel kills it in its own time, and init may not have collected it yet.
        #expect(
            await eventually {
                let stat = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
                return stat?.split(separator: ")").last?.hasPrefix(" Z") ?? true
            })
    }
}
#endif
