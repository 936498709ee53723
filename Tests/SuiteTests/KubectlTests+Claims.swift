import Foundation
import KiadaTesting
import Testing

/// Claims of the chapter about names, addresses and variables, tried in pods; S-numbers are those of semantics 10.
extension KubectlTests {
    private func exec(_ pod: String, _ script: String, namespace: String = "kiada") async throws -> ChildProcess.Exit {
        try await kubectl("exec", "-n", namespace, pod, "--", "sh", "-c", script)
    }

    private func environment(of pod: String, namespace: String = "kiada") async throws -> Set<String> {
        Set(try await exec(pod, "env", namespace: namespace).output.split(separator: "\n").map(String.init))
    }

    @Test("S35, S43: the pod of cluster DNS, its Service in each pod's resolv.conf, and that neither can be harmed")
    func clusterDNS() async throws {
        let node = "127.\(suite.block).65.2"
        let pods = words(try await kubectl("get", "pods", "-n", "kube-system").output)
        #expect(pods.dropFirst().map { Array($0[0...2]) } == [["cluster-dns-kiada-node", "1/1", "Running"]])
        let listed = try await kubectl(
            "get", "svc,pods,endpointslices", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "name"
        ).output
        #expect(listed.contains("service/kube-dns\n") && listed.contains("pod/cluster-dns-kiada-node\n"))
        #expect(listed.contains("endpointslice.discovery.k8s.io/kube-dns-"))
        let endpoints = try await kubectl("get", "ep", "kube-dns", "-n", "kube-system", "--no-headers").output
        #expect(words(endpoints).first?[1] == "\(node):53,\(node):53,\(node):9153")
        let service = try await kubectl(
            "get", "svc", "kube-dns", "-n", "kube-system", "-o", "jsonpath={.spec.clusterIP}")
        #expect(try await exec("quote-001", "cat /etc/resolv.conf").output.contains("nameserver \(service.output)\n"))
        // The Service and its pod give the same answers, also while the pod is deleted.
        let quiz = try suite.clusterIP("quiz")
        for arguments in [
            ["get", "pods", "-n", "kube-system"], ["delete", "pods", "--all", "-n", "kube-system"],
            ["delete", "pods", "--all", "-n", "kube-system", "--force", "--grace-period=0"],
            ["label", "pods", "--all", "-n", "kube-system", "k8s-app-"],
        ] {
            let exit = try await ChildProcess.run(
                Kubectl.program, arguments, environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
            #expect(exit.code == 0, "\(arguments) \(exit.errors)")
            for server in [service.output, node] {
                for transport in ["+notcp", "+tcp"] {
                    let answer = try await ChildProcess.run(
                        "dig", ["@\(server)", "+short", "+tries=1", transport, "quiz.kiada.svc.cluster.local"])
                    #expect(answer.output == "\(quiz)\n", "\(server) \(transport)")
                }
            }
        }
        let selected = ["wait", "-n", "kube-system", "-l", "k8s-app=kube-dns", "--for=condition=Ready", "pod"]
        let ready = try await ChildProcess.run(
            Kubectl.program, selected + ["--timeout=10s"],
            environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        #expect(ready.output == "pod/cluster-dns-kiada-node condition met\n", "\(ready.errors)")
        let metrics = try await suite.curl("http://\(service.output):9153/metrics")
        #expect(metrics.output.contains("kiada_dns_queries_total{type=\"A\",code=\"NOERROR\"}"))
        let logs = try await kubectl("logs", "-n", "kube-system", "cluster-dns-kiada-node")
        #expect(logs.code == 1 && logs.errors.contains("--log-queries"))
        #expect(try await suite.down().code == 0)
    }

    @Test("S7, S31, S37, S47: names lead to Services from every namespace, whatever becomes of their pods")
    func names() async throws {
        #expect(try await kubectl("create", "ns", "other").code == 0)
        #expect(
            try await kubectl("run", "probe", "-n", "other", "--image=busybox", "--command", "--", "sleep", "1000").code
                == 0)
        #expect(
            try await kubectl("wait", "-n", "other", "--for=condition=Ready", "pod/probe", "--timeout=20s").code == 0)
        let expected = "This is the quiz service running in pod quiz\n"
        // S31: no port in any of the URLs.
        for (pod, namespace, name) in [
            ("quote-001", "kiada", "quiz"), ("quote-001", "kiada", "quiz.kiada"), ("probe", "other", "quiz.kiada"),
        ] {
            #expect(try await exec(pod, "curl -sS http://\(name)", namespace: namespace).output == expected)
        }
        let plain = try await exec("probe", "curl -sS http://quiz", namespace: "other")
        #expect(plain.code == 6 && plain.errors.contains("Could not resolve host: quiz"), "\(plain.errors)")
        // S7: another pod of that name, at another address.
        let address = ["get", "pod", "quiz", "-o", "jsonpath={.status.podIP}"]
        let manifest = try await kubectl("get", "pod", "quiz", "-o", "json").output
        let before = try await kubectl(address[0], address[1], address[2], address[3], address[4]).output
        #expect(try await kubectl("delete", "pod", "quiz").code == 0)
        #expect(try await exec("quote-001", "curl -sS http://quiz").code == 7)
        var json = try #require(try JSONSerialization.jsonObject(with: Data(manifest.utf8)) as? [String: Any])
        json["status"] = nil
        json["metadata"] = ["name": "quiz", "labels": ["app": "quiz", "rel": "stable"]]
        let text = String(decoding: try JSONSerialization.data(withJSONObject: json), as: UTF8.self)
        #expect(try await kubectl("apply", "-f", try home.write(text, to: "quiz.json")).code == 0)
        #expect(try await kubectl("wait", "--for=condition=Ready", "pod/quiz", "--timeout=20s").code == 0)
        #expect(try await kubectl(address[0], address[1], address[2], address[3], address[4]).output != before)
        #expect(await eventually { (try? await exec("quote-001", "curl -sS http://quiz").output) == expected })
        // S47: by name and by variable, with the certificate that the kubeconfig's authority signed.
        for host in ["kubernetes.default", "$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT"] {
            let verbose = try await exec(
                "probe", "curl -sv --cacert \(suite.state)/ca.crt https://\(host)/version 2>&1", namespace: "other")
            #expect(verbose.output.contains("SSL certificate verify ok"), "\(verbose.output)")
        }
        #expect(try await suite.down().code == 0)
    }

    @Test("S46: a container has the variables of the Services that were there when it started")
    func variables() async throws {
        #expect(try await kubectl("create", "ns", "early").code == 0)
        for (kind, value) in [("pod", "first"), ("service", ""), ("pod", "second")] {
            if kind == "service" {
                #expect(try await kubectl("create", "svc", "clusterip", "late", "-n", "early", "--tcp=80").code == 0)
            } else {
                _ = try await kubectl(
                    "run", value, "-n", "early", "--image=busybox", "--command", "--", "sleep", "1000")
                #expect(
                    try await kubectl("wait", "-n", "early", "--for=condition=Ready", "pod/\(value)", "--timeout=20s")
                        .code == 0)
            }
        }
        func services(_ pod: String) async throws -> Set<String> {
            Set(
                try await environment(of: pod, namespace: "early").compactMap { line in
                    line.firstRange(of: "_SERVICE_HOST=").map { String(line[..<$0.lowerBound]) }
                })
        }
        #expect(try await services("first") == ["KUBERNETES"])
        #expect(try await services("second") == ["KUBERNETES", "LATE"])
        #expect(try await suite.down().code == 0)
    }

    @Test("S14, S19, S32, S34: a selector is replaced, all fields of a port are kept, and cookies bind nobody to a pod")
    func fields() async throws {
        _ = try await kubectl("run", "quiz-canary", "--image=kiada/quiz:1.0", "--labels=app=quiz,rel=canary")
        #expect(
            try await kubectl("set", "selector", "service", "quiz", "app=quiz").output
                == "service/quiz selector updated\n")
        let row = words(try await kubectl("get", "svc", "quiz", "-o", "wide", "--no-headers").output).first
        #expect(row?.last == "app=quiz")
        let pod = ["get", "pod", "quiz-canary", "-o", "jsonpath={.status.podIP}"]
        #expect(
            await eventually {
                guard let canary = try? await kubectl(pod[0], pod[1], pod[2], pod[3], pod[4]).output, !canary.isEmpty
                else { return false }
                return (try? await kubectl("get", "ep", "quiz").output.contains(canary)) == true
            })
        let port =
            #"{"name":"p","protocol":"UDP","appProtocol":"example.com/x","port":90,"nodePort":30990,"targetPort":"name"}"#
        let manifest =
            "{apiVersion: v1, kind: Service, metadata: {name: ports}, spec: {type: NodePort, ports: [\(port)]}}"
        #expect(try await kubectl("apply", "-f", try home.write("---\n" + manifest, to: "ports.yaml")).code == 0)
        let stored = try await kubectl("get", "svc", "ports", "-o", "jsonpath={.spec.ports[0]}").output
        let fields = try JSONSerialization.jsonObject(with: Data(stored.utf8)) as? NSDictionary
        #expect(try fields == (JSONSerialization.jsonObject(with: Data(port.utf8)) as? NSDictionary))
        let cookie = try await kubectl("patch", "svc", "quote", "-p", #"{"spec":{"sessionAffinity":"Cookie"}}"#)
        #expect(
            cookie.errors
                == "The Service \"quote\" is invalid: spec.sessionAffinity: Unsupported value: \"Cookie\": supported values: \"ClientIP\", \"None\"\n"
        )
        // A client that shows the same cookie each time reaches every pod.
        let quote = try suite.clusterIP("quote")
        let loop = try await suite.curl(
            "-H", "Connection: close", "-b", "session=1", "http://\(quote)/?[1-200]")
        #expect(Set(loop.output.split(separator: "\n")).count == 4)
        #expect(try await suite.down().code == 0)
    }

    @Test("S57, S62 to S64: the page through port-forward, and who has been asked for it")
    func page() async throws {
        let pods = words(try await kubectl("get", "pods", "-l", "app=kiada", "--no-headers").output).map { $0[0] }
        #expect(pods == ["kiada-001", "kiada-002", "kiada-003", "kiada-canary"])
        let forward = try ChildProcess(
            Kubectl.program, ["port-forward", "kiada-001", ":8080"],
            environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        #expect(await eventually { forward.output.contains("Forwarding from [::1]") })
        let address = try #require(forward.output.firstMatch(of: /127\.0\.0\.1:[0-9]+/)).output
        let page = try await suite.curl("-H", "Connection: close", "http://\(address)/?[1-40]")
        forward.signal(SIGTERM)
        _ = await forward.wait()
        #expect(page.output.components(separatedBy: "KUBERNETES IN ACTION").count == 41)
        #expect(page.output.contains("Client IP: ::ffff:127.0.0.1\n"))
        var asked = 0
        for name in ["quote-001", "quote-002", "quote-003", "quote-canary"] {
            let count = try await kubectl("logs", name).output.split(separator: "\n").count {
                $0.contains("GET /quote")
            }
            #expect(count > 0, "\(name)")
            asked += count
        }
        #expect(asked == 40)
        #expect(
            try await kubectl("logs", "quiz").output.split(separator: "\n").count {
                $0.contains("GET /questions/random")
            }
                == 40)
        // S64: outside clients come in by the balancer's address and the node's port.
        let balancer = try await kubectl(
            "get", "svc", "kiada", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip} {.spec.ports[0].nodePort}"
        ).output.split(separator: " ")
        for place in ["\(balancer[0])", "127.\(suite.block).65.2:\(balancer[1])"] {
            #expect(try await suite.curl("http://\(place)/").output.hasPrefix("KUBERNETES IN ACTION"), "\(place)")
        }
        #expect(try await suite.down().code == 0)
    }
}
