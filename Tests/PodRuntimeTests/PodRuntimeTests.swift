#if os(Linux)
import ClusterModel
import Foundation
import KiadaTesting
import Logging
import NetTypes
import PodRuntime
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PodRuntimeTests {
    private let folder: TemporaryFolder
    private let recorder = Recorder()
    private let runtime: PodRuntime

    init() throws {
        folder = try TemporaryFolder()
        let configuration = try PodRuntimeConfiguration.plain(
            in: folder, variables: [("QUIZ_SERVICE_HOST", "127.96.0.9")])
        runtime = PodRuntime(configuration, observer: recorder, logger: Logger(label: "test"))
    }

    /// Runs `pods` and hands over each change until `body` has seen enough; then stops the runtime.
    private func run(_ pods: [Pod], until isEnough: @escaping @Sendable (String, JSONValue?) -> Bool) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [runtime] in await runtime.run() }
            for pod in pods { runtime.set(pod) }
            for await change in recorder.changes where isEnough(change.name, change.status) { break }
            runtime.stop(grace: .zero)
        }
    }

    private func script(_ text: String, _ container: [String: JSONValue] = [:], spec: [String: JSONValue] = [:]) -> Pod
    {
        .fixture(spec: spec, container: container.merging(["args": ["-c", .string(text)]]) { $1 })
    }

    private func state(_ status: JSONValue?) -> JSONValue? { status?["containerStatuses"]?[0] }

    private func log(_ restart: Int) -> String {
        (try? String(contentsOfFile: "\(folder.path)/logs/kiada_web/app/\(restart).log", encoding: .utf8)) ?? ""
    }

    @Test("A container runs with its variables, and its output is in the log, stream by stream")
    func output() async {
        await run([script("echo $HOSTNAME $QUIZ_SERVICE_HOST; echo bad >&2", spec: ["restartPolicy": "Never"])]) {
            _, status in
            status?["phase"]?.stringValue == "Succeeded"
        }
        #expect(log(0).contains(" stdout F web 127.96.0.9\n"))
        #expect(log(0).contains(" stderr F bad\n"))
    }

    @Test("A container that is killed starts again, and says with which signal it ended")
    func restart() async {
        await run([script("[ -e \"$HOME/once\" ] || { : > \"$HOME/once\"; kill -9 $$$$; }; exec sleep 60")]) {
            [self] _, status in
            state(status)?["restartCount"]?.intValue == 1 && state(status)?["ready"]?.boolValue == true
                && state(status)?["lastState"]?["terminated"]?["exitCode"]?.intValue == 137
        }
    }

    @Test("An exec probe decides whether the pod is ready")
    func readiness() async {
        let probe: JSONValue = ["exec": ["command": ["ls", "ready"]], "periodSeconds": 1]
        let sawUnready = Mutex(false)
        await run([script("sleep 0.1; : > \"$HOME/ready\"; exec sleep 60", ["readinessProbe": probe])]) {
            [self] _, status in
            if state(status)?["started"]?.boolValue == true, state(status)?["ready"]?.boolValue == false {
                sawUnready.withLock { $0 = true }
            }
            return state(status)?["ready"]?.boolValue == true
        }
        #expect(sawUnready.withLock { $0 })
    }

    @Test("An image without a program keeps the container waiting, with the remedy in its message")
    func unknownImage() async {
        let message = Mutex("")
        await run([script("true", ["image": "other:1"])]) { [self] _, status in
            guard let waiting = state(status)?["waiting"] ?? state(status)?["state"]?["waiting"],
                waiting["reason"]?.stringValue == "ErrImagePull"
            else { return false }
            message.withLock { $0 = waiting["message"]?.stringValue ?? "" }
            return true
        }
        #expect(message.withLock { $0 }.hasSuffix("Known: test"))
    }

    @Test("A deleted pod gets SIGTERM, is told as finished, and its folder is gone")
    func deletion() async {
        var deleted = script("exec sleep 60").object
        deleted.deletionTimestamp = "2026-11-24T15:04:05Z"
        let gone = Pod(deleted)
        await run([script("exec sleep 60")]) { [self] _, status in
            if state(status)?["ready"]?.boolValue == true { runtime.set(gone) }
            return status == nil
        }
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/pods/kiada_web"))
    }
}
#endif
