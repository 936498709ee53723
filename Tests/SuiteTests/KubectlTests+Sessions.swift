import Foundation
import KiadaTesting
import Testing

/// kubectl inside of pods: exec, attach, run -it and port-forward; K-numbers are those of kubectl-wire 15.
extension KubectlTests {
    @Test("K42 to K45, S28, S36 to S40, S49: programs in pods, with the pod's names, variables and files")
    func exec() async throws {
        let both = try await kubectl("exec", "quote-001", "--", "sh", "-c", "echo hi; echo e >&2; exit 3")
        #expect(both.code == 3 && both.output == "hi\n")
        #expect(both.errors == "e\ncommand terminated with exit code 3\n")
        for name in [
            "quiz", "quiz.kiada", "quiz.kiada.svc", "quiz.kiada.svc.cluster.local", try suite.clusterIP("quiz"),
        ] {
            let answer = try await kubectl("exec", "quote-001", "--", "curl", "-s", "http://\(name)")
            #expect(answer.output == "This is the quiz service running in pod quiz\n", "\(name) \(answer.errors)")
        }
        let file = try await kubectl("exec", "quote-001", "--", "cat", "/etc/resolv.conf").output
        #expect(
            file.hasPrefix("search kiada.svc.cluster.local svc.cluster.local cluster.local")
                && file.contains("nameserver 127.\(suite.block).0.10\n") && file.hasSuffix("options ndots:5\n"),
            "\(file)")
        #expect(try await kubectl("exec", "quote-001", "--", "hostname").output == "quote-001\n")
        let variables = try await kubectl("exec", "quote-001", "--", "env").output
        #expect(variables.contains("QUIZ_PORT_80_TCP=tcp://\(try suite.clusterIP("quiz")):80\n"))
        let input = try await ChildProcess.run(
            "sh", ["-c", "seq 200000 | \(Kubectl.program) exec -i quote-001 -- cat | md5sum; seq 200000 | md5sum"],
            environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        #expect(Set(input.output.split(separator: "\n")).count == 1, "\(input.output) \(input.errors)")
        let terminal = try await ChildProcess.run(
            "script",
            [
                "-qec", "stty cols 91 rows 23; \(Kubectl.program) exec -it quote-001 -- sh -c 'sleep 0.3; stty size'",
                "/dev/null",
            ],
            environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        #expect(terminal.output.contains("23 91"), "\(terminal.output)")
        let missing = try await kubectl("exec", "quote-001", "--", "nosuch")
        #expect(missing.code == 1 && missing.errors.contains("nosuch"))
        #expect(try await kubectl("exec", "nobody", "--", "ls").errors.hasPrefix("Error from server (NotFound)"))
        #expect(try await suite.down().code == 0)
    }

    @Test("attach and run -it: a container's streams at a terminal and in a pipe, and its exit code")
    func attach() async throws {
        let environment = ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"]
        // At a terminal: a shell that is asked and left; --rm removes the pod. The terminal stays open behind the commands.
        let typed = #"stty size; tty; echo $((6*7))\nexit 5\n"#
        let shell = try await ChildProcess.run(
            "sh",
            [
                "-c",
                """
                mkfifo "$HOME/in"
                script -qec "stty cols 91 rows 23; \(Kubectl.program) run -it --rm shell --image=busybox --restart=Never" \
                    /dev/null < "$HOME/in" &
                exec 3> "$HOME/in"
                printf '\(typed)' >&3
                wait $!
                """,
            ], environment: environment)
        #expect(shell.code == 5, "\(shell.errors)")
        for text in ["23 91\r\n", "/dev/pts/", "42\r\n", "pod \"shell\" deleted"] {
            #expect(shell.output.contains(text), "\(shell.output)")
        }
        // In a pipe: everything arrives, and the end of the input is the end of the program.
        let pipe = try await ChildProcess.run(
            "sh",
            [
                "-c",
                "seq 200000 | \(Kubectl.program) run -i --rm -q sum --image=busybox --restart=Never -- md5sum; "
                    + "seq 200000 | md5sum",
            ], environment: environment)
        let sums = pipe.output.split(separator: "\n").filter { $0.hasSuffix("  -") }
        #expect(sums.count == 2 && Set(sums).count == 1, "\(pipe.output) \(pipe.errors)")
        let code = try await kubectl(
            "run", "-i", "--rm", "-q", "code", "--image=busybox", "--restart=Never", "--", "sh", "-c", "exit 7")
        #expect(code.code == 7, "\(code.errors)")
        // Without input: what it writes, until it ends.
        _ = try await kubectl(
            "run", "clock", "--image=busybox", "--", "sh", "-c", "while :; do echo tick; sleep 0.1; done")
        #expect(try await kubectl("wait", "--for=condition=Ready", "pod/clock", "--timeout=10s").code == 0)
        let watcher = try ChildProcess(Kubectl.program, ["attach", "clock"], environment: environment)
        #expect(await eventually { watcher.output.contains("tick\ntick\n") }, "\(watcher.errors)")
        let none = try await kubectl("attach", "clock", "-c", "other")
        #expect(none.code == 1 && none.errors.contains("other"), "\(none.errors)")
        #expect(try await kubectl("delete", "po", "clock", "--grace-period=1").code == 0)
        let left = await watcher.wait()
        #expect(left.code == 0, "\(left.errors)")
        #expect(try await kubectl("attach", "nobody").errors.hasPrefix("Error from server (NotFound)"))
        #expect(try await suite.down().code == 0)
    }

    @Test("K47, S27, S58 to S60: port-forward to a pod and to a Service's pod, in parallel and in a row")
    func portForward() async throws {
        let forward = try ChildProcess(
            Kubectl.program, ["port-forward", "kiada-001", ":8080", ":8443"],
            environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        func ports() -> [Int] {
            forward.output.split(separator: "\n").filter { $0.hasPrefix("Forwarding from 127.0.0.1:") }.compactMap {
                line in
                line.split(separator: ":").dropFirst().first.flatMap { Int($0.prefix { $0.isNumber }) }
            }
        }
        #expect(await eventually { ports().count == 2 }, "\(forward.errors)")
        let (plain, secure) = (ports()[0], ports()[1])
        for _ in 0..<3 {
            let page = try await suite.curl("http://127.0.0.1:\(plain)/")
            #expect(page.output.contains("running in pod \"kiada-001\""), "\(page.errors)")
        }
        let tls = try await suite.curl("-k", "https://127.0.0.1:\(secure)/")
        #expect(tls.output.hasPrefix("KUBERNETES IN ACTION"), "\(tls.errors)")
        let parallel = try await suite.curl("-Z", "--parallel-immediate", "http://127.0.0.1:\(plain)/text?[1-20]")
        #expect(parallel.output.components(separatedBy: "TIP OF THE MINUTE").count == 21, "\(parallel.errors)")
        forward.signal(SIGTERM)
        _ = await forward.wait()
        let service = try ChildProcess(
            Kubectl.program, ["port-forward", "svc/quiz", ":80"],
            environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        #expect(await eventually { service.output.contains("-> 8080") }, "\(service.errors)")
        service.signal(SIGTERM)
        _ = await service.wait()
        #expect(try await suite.down().code == 0)
    }
}
