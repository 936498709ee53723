import Foundation
import KiadaTesting
import SuiteRuntime
import Testing

/// Whole programs on real sockets; each test has a suite of its own.
@Suite("The suite as a user runs it", .serialized, .enabled(if: RunningSuite.obstacle == nil, "needs ports below 1024"))
struct SuiteTests {
    @Test("up, the three commands of the README, status, logs, down; nothing is left")
    func life() async throws {
        let suite = try RunningSuite()
        let up = try await suite.up()
        #expect(up.code == 0, "\(up.errors)")
        #expect(up.output.contains("ready after"))

        let text = try await suite.curl("http://\(suite.published):8080")
        #expect(text.output.hasPrefix("KUBERNETES IN ACTION DEMO APPLICATION v0.5\n\n==== TIP OF THE MINUTE\n"))
        #expect(!text.output.contains("ERROR"))
        #expect(text.output.contains("on node \"kiada-node\""))
        let secure = try await suite.curl(
            "--cacert", suite.state + "/ca.crt", "--resolve", "localhost:8443:\(suite.published)",
            "https://localhost:8443")
        #expect(secure.output.hasPrefix("KUBERNETES IN ACTION"), "\(secure.errors)")

        // S29, S30: every pod answers, and only as itself.
        let quote = try suite.clusterIP("quote")
        let loop = try await suite.curl("-H", "Connection: close", "http://\(quote)/?[1-200]")
        let lines = loop.output.split(separator: "\n")
        #expect(lines.count == 200)
        let pods = Set(lines.map { $0.replacing("This is the quote service running in pod ", with: "") })
        #expect(pods == ["quote-001", "quote-002", "quote-003", "quote-canary"])

        let discovery = try await suite.curl("http://\(suite.published):8080/discovery")
        #expect(discovery.output.contains(#""method":"variables""#))

        let table = try await suite.command(["status"])
        #expect(table.code == 0)
        #expect(table.output.contains("quote-canary") && table.output.contains("READY ENDPOINTS"))
        let report = try suite.report()
        #expect(report.state == .ready && report.pods.count == 9 && report.problems.isEmpty)
        #expect(report.services.first { $0.name == "kiada" }?.externalIP == "127.\(suite.block).64.1")

        let logs = try await suite.command(["logs", "quote-001"])
        #expect(logs.output.contains("GET /"))
        let unknown = try await suite.command(["logs", "nobody"])
        #expect(unknown.code == 1 && unknown.errors.contains("quote-001"))

        let down = try await suite.down()
        #expect(down.code == 0 && down.output == "stopped\n")
        #expect(try suite.processes().isEmpty)
        let refused = try await suite.curl("http://\(quote)/")
        #expect(refused.code == 7)
        let again = try await suite.down()
        #expect(again.code == 0 && again.output.contains("no suite runs"))
        #expect(try await suite.command(["status"]).code == 3)
    }

    @Test("a pod killed in a loop of requests is started again, and the others serve")
    func killedPod() async throws {
        let suite = try RunningSuite()
        #expect(try await suite.up().code == 0)
        let quote = try suite.clusterIP("quote")
        let victim = try suite.process(ofPod: "quote-002")
        let loop = try ChildProcess(
            "curl",
            [
                "-s", "-H", "Connection: close", "-w", "%{http_code}\n", "-o", "/dev/null", "--max-time", "60",
                "http://\(quote)/?[1-1000]",
            ])
        #expect(await eventually { loop.output.count > 400 })
        kill(victim, SIGKILL)
        let codes = await loop.wait().output.split(separator: "\n")
        #expect(codes.count == 1000)
        // One request may have been on its way through the killed process; nobody else notices.
        #expect(codes.count { $0 != "200" } <= 1)
        #expect(
            await eventually {
                let pod = try? suite.report().pods.first { $0.name == "quote-002" }
                return pod?.restarts == 1 && pod?.isGood == true
            })
        #expect(try await suite.down().code == 0)
    }

    @Test("manifests are live: removed, added, broken, whole again")
    func liveManifests() async throws {
        let suite = try RunningSuite()
        #expect(try await suite.up().code == 0)
        let file = suite.manifests + "/quote.yaml"
        let whole = try String(contentsOfFile: file, encoding: .utf8)
        let documents = whole.components(separatedBy: "\n---\n")
        let without = documents.filter { !$0.contains("name: quote-canary") }.joined(separator: "\n---\n")
        func readyEndpoints() -> Int? {
            try? suite.report().services.first { $0.name == "quote" }?.readyEndpoints
        }
        try without.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(await eventually { readyEndpoints() == 3 })
        #expect(await eventually { (try? suite.report().pods.contains { $0.name == "quote-canary" }) == false })
        try whole.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(await eventually { readyEndpoints() == 4 })
        try "apiVersion: v1\nkind: [\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(
            await eventually {
                (try? suite.report().problems.contains { $0.contains("quote.yaml") && $0.contains("last good") })
                    == true
            })
        #expect(readyEndpoints() == 4)
        try whole.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(await eventually { (try? suite.report().problems.isEmpty) == true })
        #expect(try await suite.down().code == 0)
    }

    @Test("S36, S53 without variables kiada finds its Services by the cluster's names")
    func discoveryByName() async throws {
        let suite = try RunningSuite()
        let file = suite.manifests + "/kiada.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacing("spec:\n  containers:", with: "spec:\n  enableServiceLinks: false\n  containers:")
            .write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try await suite.up().code == 0)
        let discovery = try await suite.curl("http://\(suite.published):8080/discovery").output
        #expect(discovery.contains(#""method":"dns""#) && !discovery.contains(#""method":"variables","url""#))
        #expect(discovery.contains("quote.kiada.svc.cluster.local"), "\(discovery)")
        let page = try await suite.curl("http://\(suite.published):8080/")
        #expect(!page.output.contains("ERROR"), "\(page.output)")
        // S38 from the user's shell.
        for name in ["quote.kiada.svc.cluster.local", "QUOTE.kiada.svc.Cluster.Local"] {
            let answer = try await ChildProcess.run("dig", ["@127.\(suite.block).0.10", "+short", "+tries=1", name])
            #expect(answer.output == "\(try suite.clusterIP("quote"))\n")
        }
        #expect(try await suite.down().code == 0)
    }

    @Test("S39 --cluster-domain: names, search list and PTRs follow")
    func clusterDomain() async throws {
        let suite = try RunningSuite()
        #expect(try await suite.up(["--cluster-domain", "lab.example"]).code == 0)
        let quote = try suite.clusterIP("quote")
        func dig(_ arguments: String...) async throws -> String {
            try await ChildProcess.run("dig", ["@127.\(suite.block).0.10", "+short", "+tries=1"] + arguments).output
        }
        #expect(try await dig("quote.kiada.svc.lab.example") == "\(quote)\n")
        #expect(try await dig("quote.kiada.svc.cluster.local").isEmpty)
        #expect(try await dig("-x", quote) == "quote.kiada.svc.lab.example.\n")
        let folders = try FileManager.default.subpathsOfDirectory(atPath: suite.state + "/pods")
        let own = try #require(folders.first { $0.contains("quote-001") && $0.hasSuffix("resolv.conf") })
        let text = try String(contentsOfFile: suite.state + "/pods/" + own, encoding: .utf8)
        #expect(text.hasPrefix("search kiada.svc.lab.example svc.lab.example lab.example"), "\(text)")
        #expect(try await suite.down().code == 0)
        let bad = try await suite.up(["--cluster-domain", "A_B"])
        #expect(bad.code == 64)
    }

    @Test("6.8, 7.14 --dns-ttl, --log-queries and --health-port; 6.12, 6.14 a pod's own names and warnings about them")
    func namesAndHealth() async throws {
        let suite = try RunningSuite()
        let file = suite.manifests + "/quote.yaml"
        let searches = (1...30).map { "d\($0).example.org" }.joined(separator: ", ")
        let config = """
            spec:
              hostAliases: [{ip: 192.0.2.7, hostnames: [old.example.org]}]
              dnsConfig: {nameservers: [192.0.2.1, 192.0.2.2, 192.0.2.3], searches: [\(searches)]}
              containers:
            """
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.contains("\nspec:\n  containers:\n"))
        try text.replacing("spec:\n  containers:", with: config).write(
            toFile: file, atomically: true, encoding: .utf8)
        #expect(try await suite.up(["--dns-ttl", "30", "--log-queries", "--health-port", "10299"]).code == 0)
        let quote = try suite.clusterIP("quote")
        let answer = try await ChildProcess.run(
            "dig", ["@127.\(suite.block).0.10", "+noall", "+answer", "+tries=1", "quote.kiada.svc.cluster.local"]
        ).output
        #expect(answer.split(whereSeparator: \.isWhitespace).dropFirst() == ["30", "IN", "A", Substring(quote)])
        let log = try String(contentsOfFile: suite.state + "/suite.log", encoding: .utf8)
        #expect(log.contains("dns query") && log.contains("quote.kiada.svc.cluster.local"))
        #expect(log.contains("DNSConfigForming"))

        let node = "http://127.\(suite.block).65.2:10299"
        #expect(try await suite.curl("\(node)/livez").output.contains(#""healthy":true"#))
        #expect(try await suite.curl("http://\(quote)/").output.hasPrefix("This is the quote service"))
        let metrics = try await suite.curl("\(node)/metrics").output
        #expect(PrometheusFormat.problems(in: metrics) == [])
        let connections = metrics.split(separator: "\n").filter {
            $0.hasPrefix("kiada_proxy_connections_total{") && $0.contains("service=\"quote\"")
        }
        #expect(connections.count >= 4 && connections.contains { !$0.hasSuffix(" 0") })
        #expect(metrics.contains(#"kiada_dns_queries_total{type="A",code="NOERROR"}"#))

        func own(_ name: String) throws -> String {
            try String(contentsOfFile: "\(suite.state)/pods/kiada_quote-001/\(name)", encoding: .utf8)
        }
        #expect(try own("hosts").contains("192.0.2.7\told.example.org\n"))
        let resolver = try own("resolv.conf").split(separator: "\n")
        #expect(resolver.count { $0.hasPrefix("nameserver ") } == 3 && !resolver.contains("nameserver 192.0.2.3"))
        #expect(resolver.first { $0.hasPrefix("search ") }?.split(separator: " ").count == 33)
        #expect(try await suite.down().code == 0)
        for bad in [["--dns-ttl", "3601"], ["--health-port", "65536"]] { #expect(try await suite.up(bad).code == 64) }
    }

    @Test("a crash leaves no process behind; the next start has the same cluster IPs and the answers that were given")
    func crash() async throws {
        let suite = try RunningSuite()
        #expect(try await suite.up().code == 0)
        let quiz = try suite.clusterIP("quiz")
        let answer = try await suite.curl(
            "-H", "Content-Type: application/json", "-d", #"{"questionId":1,"answerIndex":1}"#,
            "http://\(quiz)/questions/1/answers")
        #expect(answer.output.contains(#""correct":true"#), "\(answer)")
        let pid = try #require(InstanceLock.holder(of: StateDirectory(suite.state)))
        kill(pid, SIGKILL)
        #expect(await eventually { (try? suite.processes().isEmpty) == true })
        #expect(try await suite.up().code == 0)
        #expect(try suite.clusterIP("quiz") == quiz)
        let statistics = try await suite.curl("http://\(try suite.clusterIP("quiz"))/questions/1/stats")
        #expect(statistics.output.contains(#""total":1"#))
        #expect(try await suite.down().code == 0)
    }

    @Test("^C in the foreground stops in order with exit code 0")
    func interrupt() async throws {
        let suite = try RunningSuite()
        let process = try ChildProcess(
            RunningSuite.programs + "/kiada-suite", suite.upArguments + ["--state-dir", suite.state])
        #expect(await eventually { process.output.contains("certificate authority") })
        let second = try await suite.up()
        #expect(second.code == 1 && second.errors.contains("already runs"))
        process.signal(SIGINT)
        let exit = await process.wait()
        #expect(exit.code == 0)
        #expect(exit.errors.contains("once more to stop at once"))
        #expect(try suite.processes().isEmpty)
    }

    @Test("not ready in time: exit code 1, the pod and the reason, nothing left")
    func timeout() async throws {
        let suite = try RunningSuite()
        let pod = """
            apiVersion: v1
            kind: Pod
            metadata: {name: sleeper, namespace: kiada}
            spec:
              containers:
              - name: main
                image: kiada/quote:1.0
                readinessProbe: {httpGet: {path: /nothing, port: 8080}, periodSeconds: 1}
            """
        try pod.write(toFile: suite.manifests + "/pod.yaml", atomically: true, encoding: .utf8)
        let up = try await suite.up(["--timeout", "2"])
        #expect(up.code == 1)
        #expect(up.errors.contains("sleeper") && up.errors.contains("within 2 s"), "\(up.errors)")
        #expect(try suite.processes().isEmpty)
    }

    @Test("an image without a program is named, with those that there are")
    func unknownImage() async throws {
        let suite = try RunningSuite()
        let pod = """
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: kiada}
            spec: {containers: [{name: main, image: "nginx:1.27"}]}
            """
        try pod.write(toFile: suite.manifests + "/pod.yaml", atomically: true, encoding: .utf8)
        let up = try await suite.up(["--timeout", "2"])
        #expect(up.code == 1)
        #expect(up.errors.contains("nginx:1.27") && up.errors.contains("kiada/quote"), "\(up.errors)")
    }

    @Test("arguments that cannot be used end with 64, missing manifests with 1")
    func arguments() async throws {
        let suite = try RunningSuite()
        for arguments in [["up", "--bogus"], ["up", "--timeout", "0"], ["up", "--node-name", "A_B"], ["nonsense"]] {
            let exit = try await ChildProcess.run(RunningSuite.programs + "/kiada-suite", arguments)
            #expect(exit.code == 64, "\(arguments)")
        }
        let missing = try await suite.command(["up", "--detach", "--manifests", "/nonexistent"])
        #expect(missing.code == 1 && missing.errors.contains("/nonexistent"))
    }

    @Test("service-proxy run serves pods that run elsewhere, as their probes find them")
    func proxyAlone() async throws {
        let suite = try RunningSuite(manifests: try TemporaryFolder("manifests").path)
        let folder = try TemporaryFolder("proxy")
        let (quote, address) = try await suite.quoteElsewhere()
        try folder.write(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: quote}
            spec: {clusterIP: 127.\(suite.block).0.20, selector: {app: quote}, ports: [{port: 80, targetPort: 8080}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata:
              name: elsewhere
              labels: {app: quote}
              annotations: {kiada.dev/pod-ip: \(address)}
            spec:
              containers:
              - name: quote
                image: anything
                readinessProbe: {httpGet: {path: /healthz/ready, port: 8080}, periodSeconds: 1, failureThreshold: 1}
            """, to: "all.yaml")
        let proxy = try ChildProcess(
            RunningSuite.programs + "/service-proxy",
            [
                "run", "--manifests", folder.path, "--state-dir", folder.path + "/state", "--address-block",
                "\(suite.block)", "--publish-address", "none",
            ])
        let url = "http://127.\(suite.block).0.20"
        #expect(
            await eventually {
                (try? await suite.curl(url).output) == "This is the quote service running in pod elsewhere\n"
            })
        quote.signal(SIGKILL)
        _ = await quote.wait()
        // Unready: refused at once.
        #expect(await eventually { (try? await suite.curl(url).code) == 7 })
        proxy.signal(SIGTERM)
        #expect(await proxy.wait().code == 0)
    }
}
