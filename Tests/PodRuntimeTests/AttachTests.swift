#if os(Linux)
import ClusterModel
import Foundation
import KiadaTesting
import Logging
import NetTypes
import PodRuntime
import Synchronization
import Testing

/// Somebody who is attached, and what they have heard.
private final class Listener: Sendable {
    let heard = Mutex<(output: String, errors: String)>(("", ""))
    let events: AsyncStream<AttachRequest.Event>
    private let continuation: AsyncStream<AttachRequest.Event>.Continuation

    init() { (events, continuation) = AsyncStream.makeStream() }

    func request(hasInput: Bool = true) -> AttachRequest {
        AttachRequest(hasInput: hasInput) { [self] event in
            if case .output(let bytes, let isError) = event {
                let text = String(decoding: bytes, as: UTF8.self)
                heard.withLock { if isError { $0.errors += text } else { $0.output += text } }
            }
            continuation.yield(event)
        }
    }

    var output: String { heard.withLock { $0.output } }

    /// Waits for the first event that `isWanted` wants.
    func wait(for isWanted: (AttachRequest.Event) -> Bool) async {
        for await event in events where isWanted(event) { return }
    }

    func waitForStart() async { await wait { if case .started = $0 { true } else { false } } }
    func waitForEnd() async { await wait { if case .ended = $0 { true } else { false } } }
    func wait(for text: String) async { await wait { _ in output.contains(text) } }
}

@Suite(.timeLimit(.minutes(1)))
struct AttachTests {
    private let folder: TemporaryFolder
    private let recorder = Recorder()
    private let runtime: PodRuntime

    init() throws {
        folder = try TemporaryFolder()
        let configuration = try PodRuntimeConfiguration.plain(in: folder)
        runtime = PodRuntime(configuration, observer: recorder, logger: Logger(label: "test"))
    }

    /// Runs `script` in a container and, once it runs, `body` with a way to wait for the pod's phase.
    private func run(
        _ script: String, _ container: [String: JSONValue], body: (ObjectKey, (String) async -> Void) async -> Void
    ) async {
        let pod = Pod.fixture(
            spec: ["restartPolicy": "Never"],
            container: container.merging(["args": ["-c", .string(script)]]) { $1 })
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [runtime] in await runtime.run() }
            runtime.set(pod)
            func phase(_ phase: String) async {
                for await change in recorder.changes where change.status?["phase"]?.stringValue == phase { return }
            }
            await phase("Running")
            await body(pod.object.key, phase)
            runtime.stop(grace: .zero)
        }
    }

    @Test("Who attaches writes the container's input and hears its output, also what came before; then it ends")
    func conversation() async {
        await run("echo name?; read x; echo hello $x; echo bad >&2", ["stdin": true]) { key, phase in
            let listener = Listener()
            let request = listener.request()
            runtime.attach(request, to: key, container: "app")
            await listener.wait(for: "name?\n")
            request.write(Array("world\n".utf8))
            await listener.waitForEnd()
            #expect(listener.output == "name?\nhello world\n")
            #expect(listener.heard.withLock { $0.errors } == "bad\n")
            await phase("Succeeded")
        }
    }

    @Test("stdinOnce: the input ends when the first who has attached leaves or says so")
    func once() async {
        for leaves in [true, false] {
            await run("cat; echo over >&2", ["stdin": true, "stdinOnce": true]) { key, phase in
                let listener = Listener()
                let request = listener.request()
                runtime.attach(request, to: key, container: "app")
                await listener.waitForStart()
                request.write(Array("x".utf8))
                if leaves { request.cancel() } else { request.closeInput() }
                await phase("Succeeded")
            }
            let path = "\(folder.path)/logs/kiada_web/app/0.log"
            #expect((try? String(contentsOfFile: path, encoding: .utf8))?.contains("stderr F over\n") == true)
        }
    }

    @Test("Without stdinOnce the input stays open, for one after the other and for several at the same time")
    func again() async {
        await run("for i in 1 2 3; do read x; echo $x; done", ["stdin": true]) { key, phase in
            let first = Listener()
            let one = first.request()
            runtime.attach(one, to: key, container: "app")
            await first.waitForStart()
            one.write(Array("a\n".utf8))
            await first.wait(for: "a\n")
            one.closeInput()
            one.cancel()
            let second = Listener()
            let third = Listener()
            let (two, silent) = (second.request(), third.request(hasInput: false))
            runtime.attach(two, to: key, container: "app")
            runtime.attach(silent, to: key, container: "app")
            await second.waitForStart()
            await third.waitForStart()
            silent.write(Array("not taken\n".utf8))
            two.write(Array("b\nc\n".utf8))
            await second.waitForEnd()
            await third.waitForEnd()
            #expect(second.output == "b\nc\n" && third.output == "b\nc\n" && first.output == "a\n")
            await phase("Succeeded")
        }
    }

    @Test("A container with tty has a terminal of the client's size; ^D ends its input")
    func terminal() async {
        await run("read x; stty size; cat; tty", ["stdin": true, "stdinOnce": true, "tty": true]) { key, phase in
            let listener = Listener()
            let request = listener.request()
            request.resize(columns: 91, rows: 23)
            runtime.attach(request, to: key, container: "app")
            await listener.waitForStart()
            request.write(Array("\n".utf8))
            await listener.wait(for: "23 91\r\n")
            request.closeInput()
            await listener.waitForEnd()
            #expect(listener.output.contains("/dev/pts/"))
            await phase("Succeeded")
        }
    }

    @Test("What nobody reads is kept up to a bound and does not stop the container")
    func unread() async {
        await run("head -c 3000000 /dev/zero; echo done >&2; read x", ["stdin": true]) { key, _ in
            let path = "\(folder.path)/logs/kiada_web/app/0.log"
            #expect(
                await eventually { (try? String(contentsOfFile: path, encoding: .utf8))?.contains("F done\n") == true })
            let listener = Listener()
            runtime.attach(listener.request(), to: key, container: "app")
            await listener.waitForStart()
            await listener.wait { if case .output = $0 { true } else { false } }
            #expect(listener.output.utf8.count <= 64 * 1024)
        }
    }

    @Test("There is nothing to attach to in a pod or container that does not run")
    func nothing() async {
        await run("true", [:]) { key, phase in
            await phase("Succeeded")
            for (name, container) in [("web", "app"), ("web", "other"), ("nobody", "app")] {
                let listener = Listener()
                runtime.attach(
                    listener.request(), to: ObjectKey(.pods, namespace: key.namespace, name: name), container: container
                )
                await listener.wait { event in
                    if case .failed(let reason) = event { return reason.hasSuffix("is not running") }
                    return false
                }
            }
        }
    }
}
#endif
