#if os(Linux)
import ClusterModel
import Foundation
import KiadaTesting
import Logging
import NetTypes
import PodRuntime
import Synchronization
import Testing

/// Containers with a file system and process numbers of their own.
@Suite(
    .timeLimit(.minutes(1)),
    .enabled(if: geteuid() == 0, "only root may make mount and process namespaces: run the tests as root"))
struct IsolationTests {
    private let folder: TemporaryFolder
    private let recorder = Recorder()
    private let runtime: PodRuntime
    private let content = Contents()

    /// ConfigMaps and Secrets that a test can change.
    private final class Contents: Sendable {
        private let state = Mutex<[ContainerSpec.Settings: [String: String]]>([:])

        subscript(settings: ContainerSpec.Settings) -> [String: String]? {
            get { state.withLock { $0[settings] } }
            set { state.withLock { $0[settings] = newValue } }
        }
    }

    init() throws {
        folder = try TemporaryFolder()
        var configuration = PodRuntimeConfiguration(
            nodeName: "node", hostIP: .v4(IPv4Address(bits: 0x7F12_0002)), stateDirectory: folder.path,
            podRange: try #require(CIDR("127.244.0.0/16")), images: ImageMap(["test": .init(program: "/bin/sh")]),
            programDirectory: "/bin", searchPath: "/usr/bin:/bin", hasNamespaces: true,
            serviceVariables: { _, _ in [] })
        configuration.settings = { [content] _, settings in
            content[settings].map { SettingsContent(texts: $0, files: $0.mapValues { Array($0.utf8) }) }
        }
        runtime = PodRuntime(configuration, observer: recorder, logger: Logger(label: "test"))
    }

    private func run(_ pods: [Pod], until isEnough: @escaping @Sendable (String, JSONValue?) async -> Bool) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [runtime] in await runtime.run() }
            for pod in pods { runtime.set(pod) }
            for await change in recorder.changes where await isEnough(change.name, change.status) { break }
            runtime.stop(grace: .zero)
        }
    }

    private func script(_ text: String, _ container: [String: JSONValue] = [:], spec: [String: JSONValue] = [:]) -> Pod
    {
        .fixture(spec: spec, container: container.merging(["args": ["-c", .string(text)]]) { $1 })
    }

    private func log(_ restart: Int = 0) -> String {
        (try? String(contentsOfFile: "\(folder.path)/logs/kiada_web/app/\(restart).log", encoding: .utf8)) ?? ""
    }

    private static func hasSucceeded(_ status: JSONValue?) -> Bool { status?["phase"]?.stringValue == "Succeeded" }

    @Test("What a container writes is its own and gone after a restart; it is process 1 and has the pod's name")
    func ownFiles() async {
        let name = "/var/kiada-test-\(UUID().uuidString)"
        let text = """
            [ -e \(name) ] && echo old || echo new; : > \(name)
            echo pid $$$$, $(hostname), $(ls /proc | grep -c '^[0-9]')
            [ -e "$HOME/once" ] || { : > "$HOME/once"; exit 1; }
            """
        await run([script(text, spec: ["restartPolicy": "OnFailure"])]) { _, status in Self.hasSucceeded(status) }
        for restart in 0...1 {
            #expect(log(restart).contains(" new\n"))
            #expect(log(restart).contains(" pid 1, web,"))
        }
        #expect(!FileManager.default.fileExists(atPath: name))
    }

    @Test("Volumes are at their mount paths: ConfigMap, Secret key by subPath, emptyDir, read only")
    func volumes() async {
        content[.configMap("web")] = ["site.conf": "hello"]
        content[.secret("tls")] = ["key": "secret"]
        let pod = script(
            """
            cat /etc/kiada-web/site.conf /etc/kiada-tls/the.key; echo
            echo kept > /data/sub/file; cat /again/file
            echo x > /etc/kiada-web/site.conf || echo refused
            ls -A /etc/kiada-tls
            """,
            [
                "volumeMounts": [
                    ["name": "config", "mountPath": "/etc/kiada-web", "readOnly": true],
                    ["name": "tls", "mountPath": "/etc/kiada-tls/the.key", "subPath": "key"],
                    ["name": "data", "mountPath": "/data"],
                    ["name": "data", "mountPath": "/data/sub", "subPath": "inner"],
                    ["name": "data", "mountPath": "/again", "subPathExpr": "$(PART)"],
                ], "env": [["name": "PART", "value": "inner"]],
            ],
            spec: [
                "restartPolicy": "Never",
                "volumes": [
                    ["name": "config", "configMap": ["name": "web"]], ["name": "tls", "secret": ["secretName": "tls"]],
                    ["name": "data", "emptyDir": [:]],
                ],
            ])
        await run([pod]) { _, status in Self.hasSucceeded(status) }
        let lines = log().split(separator: "\n").map { $0.split(separator: " ", maxSplits: 3).last ?? "" }
        #expect(lines.filter { $0.count < 20 } == ["hellosecret", "kept", "refused", "the.key"])
        #expect(!FileManager.default.fileExists(atPath: "/etc/kiada-web"))
    }

    @Test("A pod waits for its ConfigMap; a change of it appears in the files of the running container")
    func followsConfigMap() async {
        let (saw, continuation) = AsyncStream.makeStream(of: Void.self)
        content[.configMap("web")] = nil
        let pod = script(
            "while [ \"$(cat /etc/kiada-web/key)\" != new ]; do sleep 0.02; done",
            ["volumeMounts": [["name": "config", "mountPath": "/etc/kiada-web"]]],
            spec: ["restartPolicy": "Never", "volumes": [["name": "config", "configMap": ["name": "web"]]]])
        let notes = recorder
        await run([pod]) { [content, runtime] _, status in
            if notes.said("configmap \"web\" not found"), content[.configMap("web")] == nil {
                content[.configMap("web")] = ["key": "old"]
                runtime.settingsChanged(.configMap("web"), namespace: "kiada")
            } else if status?["containerStatuses"]?[0]?["ready"]?.boolValue == true {
                content[.configMap("web")] = ["key": "new"]
                runtime.settingsChanged(.configMap("web"), namespace: "kiada")
                continuation.finish()
            }
            return Self.hasSucceeded(status)
        }
        for await _ in saw {}
        #expect(notes.said("MountVolume.SetUp failed for volume \"config\" : configmap \"web\" not found"))
    }

    @Test("A program run beside a container sees its files and processes: kill 1 ends only that container (S48)")
    func joins() async {
        let probe: JSONValue = ["exec": ["command": ["ls", "/var/kiada-ready"]], "periodSeconds": 1]
        let pod = script(
            "trap 'exit 0' TERM; : > /var/kiada-ready; while :; do sleep 0.05; done", ["readinessProbe": probe])
        let (ends, ended) = AsyncStream.makeStream(of: Int32.self)
        let isAsked = Mutex(false)
        await run([pod]) { [runtime] _, status in
            let app = status?["containerStatuses"]?[0]
            if app?["ready"]?.boolValue == true, app?["restartCount"]?.intValue == 0,
                !isAsked.withLock({ asked in
                    defer { asked = true }
                    return asked
                })
            {
                let request = ExecRequest(
                    command: ["sh", "-c", "ls /var/kiada-ready && kill 1"], hasInput: false, hasTerminal: false
                ) { event in
                    if case .ended(let code) = event { ended.yield(code) }
                }
                runtime.exec(request, in: pod.object.key, container: "app")
            }
            return app?["restartCount"]?.intValue == 1 && app?["ready"]?.boolValue == true
        }
        ended.finish()
        var codes: [Int32] = []
        for await code in ends { codes.append(code) }
        #expect(codes == [0])
    }

    @Test(
        "A container says why it ends in a file of its own, anywhere but where the machine would see it; else the log may",
        arguments: [
            ("printf OK > /dev/termination-log", [:], "OK"),
            ("printf DONE > /dev/kiada-custom; exit 1", ["terminationMessagePath": "/dev/kiada-custom"], "DONE"),
            ("printf OK > /var/kiada-why", ["terminationMessagePath": "/var/kiada-why"], "OK"),
            ("head -c 5000 /dev/zero | tr '\\0' x > /dev/termination-log", [:], String(repeating: "x", count: 4096)),
            ("echo one; echo; printf 'two words'; exit 1", fallback, "one\n\ntwo words"),
            ("seq 100; exit 1", fallback, (21...100).map(String.init).joined(separator: "\n")),
            ("echo fine", fallback, nil), ("echo broken; exit 1", [:], nil),
            ("echo x; printf OK > /dev/termination-log; exit 1", fallback, "OK"),
            ("mkfifo /dev/kiada-pipe; rm -f /dev/termination-log 2> /dev/null; echo log; exit 1", fallback, "log"),
            ("exit 1", ["terminationMessagePath": "/proc/kiada"], nil),
        ] as [(String, [String: JSONValue], String?)])
    func terminationMessage(_ text: String, _ container: [String: JSONValue], _ message: String?) async {
        let seen = Mutex<String?>(nil)
        await run([script(text, container, spec: ["restartPolicy": "Never"])]) { _, status in
            guard let ended = status?["containerStatuses"]?[0]?["state"]?["terminated"] else { return false }
            seen.withLock { $0 = ended["message"]?.stringValue }
            return true
        }
        #expect(seen.withLock { $0 } == message)
        for path in ["/dev/termination-log", "/dev/kiada-custom", "/dev/kiada-pipe", "/var/kiada-why"] {
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    private static let fallback: [String: JSONValue] = ["terminationMessagePolicy": "FallbackToLogsOnError"]

    @Test("Devices are the machine's, what is written beside them is the container's own")
    func devices() async {
        let text = """
            : > /dev/kiada-own && echo x > /dev/null && [ -c /dev/null ] && [ -c /dev/pts/ptmx ] && [ -w /dev/shm ] \
            && [ "$(head -c 4 /dev/urandom | wc -c)" = 4 ] && [ -e /dev/kiada-own ]
            """
        await run([script(text, spec: ["restartPolicy": "Never"])]) { _, status in Self.hasSucceeded(status) }
        #expect(!FileManager.default.fileExists(atPath: "/dev/kiada-own"))
    }
}
#endif
