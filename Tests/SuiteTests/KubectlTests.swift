import Foundation
import KiadaTesting
import Testing

/// The kubectl of this machine, or the one that the variable KUBECTL names.
enum Kubectl {
    static let program = ProcessInfo.processInfo.environment["KUBECTL"] ?? "kubectl"
    static let isInstalled =
        program.contains("/")
        || (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
}

/// The real kubectl against a running suite; K-numbers are those of kubectl-wire 15.
@Suite(
    "kubectl", .serialized,
    .enabled(if: RunningSuite.obstacle == nil && Kubectl.isInstalled, "needs kubectl and ports below 1024"))
struct KubectlTests {
    let suite: RunningSuite
    let home: TemporaryFolder

    init() async throws {
        suite = try RunningSuite()
        home = try TemporaryFolder("kubectl")
        let up = try await suite.up()
        #expect(up.code == 0, "\(up.errors)")
    }

    func kubectl(_ arguments: String..., environment: [String: String] = [:]) async throws -> ChildProcess.Exit {
        try await ChildProcess.run(
            Kubectl.program, arguments,
            environment: environment.merging([
                "HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig",
            ]) { $1 })
    }

    func words(_ text: String) -> [[String]] {
        text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    @Test("K3, K9 to K12, K20, S10 to S15: the chapter's way from expose to edit")
    func chapter() async throws {
        #expect(try await kubectl("version").output.contains("Server Version: v1.32"))
        #expect(try await kubectl("delete", "svc", "quiz").output.hasPrefix("service \"quiz\" deleted"))
        #expect(try await kubectl("expose", "pod", "quiz", "--name", "quiz").output == "service/quiz exposed\n")
        let wide = words(try await kubectl("get", "svc", "-o", "wide").output)
        #expect(wide.first == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"])
        let quiz = try #require(wide.first { $0[0] == "quiz" })
        #expect(
            quiz[1] == "ClusterIP" && quiz[3] == "<none>" && quiz[4] == "8080/TCP" && quiz[6] == "app=quiz,rel=stable")
        let set = try await kubectl("set", "selector", "service", "quiz", "app=quiz")
        #expect(set.output == "service/quiz selector updated\n")
        let edit = try await kubectl(
            "edit", "svc", "quiz", environment: ["KUBE_EDITOR": "sed -i 's/port: 8080$/port: 80/'"])
        #expect(edit.output == "service/quiz edited\n", "\(edit.errors)")
        let ports = try await kubectl(
            "get", "svc", "quiz", "-o",
            "jsonpath={.spec.ports[0].port} {.spec.ports[0].targetPort} {.spec.clusterIP} {.spec.selector}")
        #expect(ports.output == "80 8080 \(quiz[2]) {\"app\":\"quiz\"}")
        let answer = try await suite.curl("http://\(quiz[2])/")
        #expect(answer.output == "This is the quiz service running in pod quiz\n")
        #expect(try await suite.curl("http://\(quiz[2]):8080/").code == 7)
        let described = try await kubectl("describe", "svc", "quote").output
        for line in [
            "Selector:                 app=quote", "Port:                     http  80/TCP",
            "TargetPort:               80/TCP", "Session Affinity:         None", " + 1 more...",
            "Events:                   <none>",
        ] { #expect(described.contains(line), "\(line)") }
        let all = words(try await kubectl("get", "svc", "-A").output)
        #expect(
            all.dropFirst().map { "\($0[0])/\($0[1])" } == [
                "default/kubernetes", "kiada/kiada", "kiada/quiz", "kiada/quote", "kube-system/kube-dns",
            ])
        #expect(try await suite.down().code == 0)
    }

    @Test("K7, K8, K22 to K31: apply, create, patch, label, replace, dry run, diff, protobuf, strict fields")
    func writes() async throws {
        func manifest(_ port: Int, extra: String = "") throws -> String {
            try home.write(
                """
                apiVersion: v1
                kind: Service
                metadata: {name: web}
                spec:
                  selector: {app: quote}\(extra)
                  ports:
                  - {name: http, port: \(port), targetPort: 80}

                """, to: "web.yaml")
        }
        let file = try manifest(80)
        #expect(try await kubectl("apply", "-f", file).output == "service/web created\n")
        #expect(try await kubectl("apply", "-f", file).output == "service/web unchanged\n")
        #expect(try await kubectl("diff", "-f", file).code == 0)
        _ = try manifest(81)
        #expect(try await kubectl("diff", "-f", file).code == 1)
        #expect(
            try await kubectl("apply", "--dry-run=server", "-f", file).output
                == "service/web configured (server dry run)\n")
        #expect(try await kubectl("apply", "-f", file).output == "service/web configured\n")
        let again = try await kubectl("create", "-f", file)
        #expect(again.code == 1)
        #expect(
            again.errors
                == "Error from server (AlreadyExists): error when creating \"\(file)\": services \"web\" already exists\n"
        )
        let patch = #"{"metadata":{"labels":{"a":"b"}}}"#
        for type in ["strategic", "merge"] {
            _ = try await kubectl("label", "svc", "web", "a-")
            #expect(
                try await kubectl("patch", "svc", "web", "--type", type, "-p", patch).output == "service/web patched\n")
            #expect(
                try await kubectl("patch", "svc", "web", "--type", type, "-p", patch).output
                    == "service/web patched (no change)\n")
        }
        #expect(
            try await kubectl(
                "patch", "svc", "web", "--type", "json", "-p",
                #"[{"op":"replace","path":"/metadata/labels/a","value":"c"}]"#
            ).output == "service/web patched\n")
        #expect(try await kubectl("label", "po", "quiz", "tier=back").output == "pod/quiz labeled\n")
        #expect(
            try await kubectl("label", "po", "quiz", "tier=front").errors
                == "error: 'tier' already has a value (back), and --overwrite is false\n")
        #expect(try await kubectl("replace", "-f", file).output == "service/web replaced\n")
        #expect(
            try await kubectl("apply", "--server-side", "--force-conflicts", "-f", file).output
                == "service/web serverside-applied\n")
        let stale = try await kubectl("set", "selector", "svc", "web", "app=x", "--resource-version=1")
        #expect(
            stale.errors.hasPrefix("Error from server (Conflict): Operation cannot be fulfilled on services \"web\""))
        for (arguments, output) in [
            (["create", "cm", "conf", "--from-literal=a=b"], "configmap/conf created\n"),
            (["create", "secret", "generic", "s", "--from-literal=a=b"], "secret/s created\n"),
            (["create", "svc", "nodeport", "np", "--tcp=80:8080"], "service/np created\n"),
            (["create", "svc", "externalname", "en", "--external-name", "example.com"], "service/en created\n"),
            (["create", "ns", "test1"], "namespace/test1 created\n"),
            (["create", "sa", "robot", "-n", "test1"], "serviceaccount/robot created\n"),
            (["delete", "ns", "test1"], "namespace \"test1\" deleted\n"),
        ] {
            let exit = try await ChildProcess.run(
                Kubectl.program, arguments, environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
            #expect(exit.output.hasPrefix(output.dropLast()), "\(arguments) \(exit.errors)")
        }
        #expect(try await kubectl("delete", "-f", file).output.hasPrefix("service \"web\" deleted"))
        _ = try manifest(80, extra: "\n  foo: 1")
        let strict = try await kubectl("apply", "-f", file)
        #expect(strict.code == 1 && strict.errors.contains("strict decoding error: unknown field \"spec.foo\""))
        let warned = try await kubectl("apply", "--validate=warn", "-f", file)
        #expect(warned.code == 0 && warned.errors.contains("Warning: unknown field \"spec.foo\""))
        #expect(try await kubectl("delete", "svc", "web").code == 0)
        _ = try manifest(70000)
        let invalid = try await kubectl("apply", "-f", file)
        #expect(
            invalid.errors.contains("spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive"))
        #expect(try await suite.down().code == 0)
    }

    @Test("K16 to K19, K35 to K41, K48: pods, watches, waiting, deletion, logs, explain, events")
    func pods() async throws {
        #expect(words(try await kubectl("get", "po", "-o", "wide").output).allSatisfy { $0.count >= 9 })
        #expect(
            words(try await kubectl("get", "po", "-l", "rel in (stable,canary),app=quote", "--no-headers").output).count
                == 4)
        #expect(words(try await kubectl("get", "po", "--chunk-size=1", "-o", "name").output).count == 9)
        let field = try await kubectl("get", "po", "--field-selector", "foo=bar")
        #expect(field.errors.contains("field label not supported: foo"))
        let watch = try ChildProcess(
            Kubectl.program, ["get", "po", "-w", "--output-watch-events", "--no-headers"],
            environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        #expect(await eventually { watch.output.split(separator: "\n").count == 9 })
        #expect(try await kubectl("run", "web", "--image=kiada/quote:1.0", "--port=8080").output == "pod/web created\n")
        #expect(
            try await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=10s").output
                == "pod/web condition met\n")
        #expect(try await kubectl("logs", "web").output.contains("listens on"))
        #expect(try await kubectl("logs", "web", "--timestamps", "--tail=1").output.hasPrefix("20"))
        #expect(try await kubectl("delete", "po", "web").output.hasPrefix("pod \"web\" deleted"))
        #expect(
            await eventually {
                let kinds = watch.output.split(separator: "\n").filter { $0.contains(" web ") }.compactMap {
                    $0.split(separator: " ").first
                }
                return kinds.first == "ADDED" && kinds.last == "DELETED"
            }, "\(watch.output)")
        watch.signal(SIGKILL)
        _ = await watch.wait()
        #expect(try await kubectl("get", "events").output.contains("Started container"))
        #expect(try await kubectl("explain", "service.spec.ports").output.contains("port\t<integer> -required-"))
        #expect(try await kubectl("explain", "pod").code == 0)
        for kind in ["po", "no", "ep", "endpointslice", "ns"] {
            #expect(try await kubectl("describe", kind).code == 0, "\(kind)")
        }
        #expect(try await kubectl("auth", "can-i", "get", "pods").output == "yes\n")
        #expect(try await kubectl("auth", "whoami").output.contains("system:masters"))
        #expect(try await kubectl("get", "foo").errors == "error: the server doesn't have a resource type \"foo\"\n")
        #expect(try await suite.down().code == 0)
    }

    @Test("K28: server-side apply keeps owners, refuses what is another's, and takes away what is no longer said")
    func serverSideApply() async throws {
        func manifest(_ spec: String, labels: String = "") throws -> String {
            try home.write(
                "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n\(labels)spec:\n  selector: {app: quote}\n\(spec)",
                to: "ssa.yaml")
        }
        func apply(_ file: String, _ more: String...) async throws -> ChildProcess.Exit {
            try await ChildProcess.run(
                Kubectl.program, ["apply", "--server-side", "-f", file] + more,
                environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        }
        func value(_ path: String) async throws -> String {
            try await kubectl("get", "svc", "web", "-o", "jsonpath={\(path)}").output
        }
        let ports = "  ports:\n  - {name: http, port: 80, targetPort: 8080}\n"
        var file = try manifest(ports + "  - {name: more, port: 81}\n", labels: "  labels: {tier: back}\n")
        for _ in 0..<2 { #expect(try await apply(file).output == "service/web serverside-applied\n") }
        let version = try await value(".metadata.resourceVersion")
        #expect(try await apply(file).code == 0)
        #expect(try await value(".metadata.resourceVersion") == version)
        // What is no longer in the manifest goes.
        file = try manifest(ports)
        #expect(try await apply(file).code == 0)
        #expect(try await value(".spec.ports[*].port") == "80")
        #expect(try await value(".metadata.labels") == "")
        let shown = try await kubectl("get", "svc", "web", "-o", "yaml", "--show-managed-fields").output
        #expect(shown.contains("operation: Apply") && shown.contains(#"k:{"port":80,"protocol":"TCP"}:"#), "\(shown)")
        #expect(try await !kubectl("get", "svc", "web", "-o", "yaml").output.contains("managedFields"))
        // Somebody else changes a field, and the next apply hears of it.
        let patch = #"[{"op":"replace","path":"/spec/ports/0/targetPort","value":9090}]"#
        #expect(try await kubectl("patch", "svc", "web", "--type", "json", "-p", patch).code == 0)
        let refused = try await apply(file)
        #expect(refused.code == 1)
        #expect(
            refused.errors.contains(
                #"Apply failed with 1 conflict: conflict with "kubectl-patch" using v1: .spec.ports[port=80,protocol="TCP"].targetPort"#
            ), "\(refused.errors)")
        #expect(try await apply(file, "--force-conflicts").code == 0)
        #expect(try await value(".spec.ports[0].targetPort") == "8080")
        let other = try await apply(try manifest("  ports: [{port: 80, targetPort: 1}]\n"), "--field-manager=other")
        #expect(other.errors.contains(#"conflict with "kubectl": "#), "\(other.errors)")
        // From client-side to server-side apply, as kubectl migrates it: what is no longer said goes here, too.
        #expect(try await kubectl("delete", "svc", "web").code == 0)
        file = try manifest(ports + "  - {name: more, port: 81}\n", labels: "  labels: {tier: back}\n")
        #expect(try await kubectl("apply", "-f", file).output == "service/web created\n")
        file = try manifest("  ports:\n  - {name: http, port: 80, targetPort: 8081}\n")
        let migrated = try await apply(file)
        #expect(migrated.output == "service/web serverside-applied\n", "\(migrated.errors)")
        #expect(try await value(".spec.ports[0].targetPort") == "8081")
        let managers = try await kubectl(
            "get", "svc", "web", "--show-managed-fields", "-o", "jsonpath={.metadata.managedFields[*].manager}")
        #expect(managers.output.split(separator: " ").contains("kubectl"), "\(managers.output)")
        #expect(try await apply(file).output == "service/web serverside-applied\n")
        #expect(try await value(".spec.ports[*].port") == "80")
        #expect(try await suite.down().code == 0)
    }

    @Test("K31 to K34: Deployments are created, scaled, updated, rolled back and deleted")
    func deployments() async throws {
        #expect(
            try await kubectl("create", "deployment", "web", "--image=kiada/quote:1.0", "--replicas=2").output
                == "deployment.apps/web created\n")
        func rolledOut() async throws -> Bool {
            try await kubectl("rollout", "status", "deploy/web", "--timeout=20s").output.hasSuffix(
                "successfully rolled out\n")
        }
        #expect(try await rolledOut())
        #expect(try await kubectl("scale", "deploy", "web", "--replicas=3").output == "deployment.apps/web scaled\n")
        #expect(try await rolledOut())
        _ = try await kubectl("expose", "deploy", "web", "--port=80", "--target-port=8080")
        let ip = try await kubectl("get", "svc", "web", "-o", "jsonpath={.spec.clusterIP}").output
        #expect(
            await eventually { (try? await suite.curl("http://\(ip)/").output.contains("running in pod web-")) == true }
        )
        // Without a readiness probe a pod counts as ready before its program listens.
        let probe = #"{"httpGet": {"path": "/healthz/ready", "port": 8080}}"#
        let patch =
            #"[{"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe", "value": \#(probe)}]"#
        #expect(try await kubectl("patch", "deploy", "web", "--type", "json", "-p", patch).code == 0)
        #expect(try await rolledOut())
        // S9 under load: no request fails while every pod is replaced.
        let loop = try ChildProcess(
            "curl",
            [
                "-s", "-H", "Connection: close", "-w", "%{http_code}\n", "-o", "/dev/null", "--max-time", "60",
                "--rate", "100/s", "http://\(ip)/?[1-300]",
            ])
        #expect(try await kubectl("create", "cm", "conf", "--from-literal=GREETING=hello").code == 0)
        #expect(try await kubectl("set", "env", "deploy/web", "--from=configmap/conf").code == 0)
        #expect(try await rolledOut())
        #expect(try await kubectl("exec", "deploy/web", "--", "sh", "-c", "echo $GREETING").output == "hello\n")
        #expect(try await kubectl("rollout", "undo", "deploy/web").output == "deployment.apps/web rolled back\n")
        #expect(try await rolledOut())
        let codes = await loop.wait().output.split(separator: "\n")
        #expect(codes.count == 300 && codes.allSatisfy { $0 == "200" }, "\(codes.filter { $0 != "200" })")
        #expect(try await kubectl("get", "deploy,rs").output.contains("deployment.apps/web"))
        #expect(try await kubectl("delete", "deploy", "web").code == 0)
        #expect(
            await eventually { (try? await kubectl("get", "po", "-l", "app=web", "-o", "name").output.isEmpty) == true }
        )
        #expect(try await suite.down().code == 0)
    }

    @Test("K49: kubectl gets in over https with the certificate only, not with a token, and not over http")
    func credentials() async throws {
        let config = try String(contentsOfFile: suite.state + "/kubeconfig", encoding: .utf8)
        let lines = config.split(separator: "\n", omittingEmptySubsequences: false)
        let bare = lines.filter { !$0.contains("client-certificate-data") && !$0.contains("client-key-data") }
        func get(_ text: String, _ arguments: [String]) async throws -> ChildProcess.Exit {
            let file = try home.write(text, to: "other-kubeconfig")
            return try await ChildProcess.run(
                Kubectl.program, ["get", "svc", "--request-timeout=5s"] + arguments,
                environment: ["HOME": home.path, "KUBECONFIG": file])
        }
        #expect(try await get(config, []).code == 0)
        #expect(bare.count == lines.count - 2)
        let stranger = bare.joined(separator: "\n")
        #expect(try await get(stranger, ["--token=wrong"]).code == 1)
        #expect(try await get(stranger, []).code == 1)
        let server = try #require(lines.first { $0.contains("server: ") }.flatMap { $0.split(separator: "//").last })
        #expect(try await get(config, ["--server=http://\(server)"]).code == 1)
        #expect(try await suite.down().code == 0)
    }

    @Test("without a certificate of ours nobody gets in; the kubeconfig is its owner's only")
    func access() async throws {
        let url = "https://127.\(suite.block).65.2:6443/api/v1/namespaces/kiada/secrets"
        let stranger = try await suite.curl("-k", url)
        #expect(stranger.code != 0 && stranger.output.isEmpty)
        let mode =
            try FileManager.default.attributesOfItem(atPath: suite.state + "/kubeconfig")[.posixPermissions] as? Int
        #expect(mode == 0o600)
        // The API is also a Service, as pods know it.
        let port = try await suite.curl("-k", "https://127.\(suite.block).0.1/healthz")
        #expect(port.code != 7)
        #expect(try await suite.down().code == 0)
    }
}
