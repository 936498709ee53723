import Foundation
import KiadaTesting
import Testing

/// What kubectl lists, waits for and is refused; K-numbers are those of kubectl-wire 15.
extension KubectlTests {
    @Test("K1, K2, K4 to K6, K50: what there is, and what there is not")
    func discovery() async throws {
        let resources = try await kubectl("api-resources", "--no-headers").output.split(separator: "\n").compactMap {
            $0.split(separator: " ").first.map(String.init)
        }
        #expect(
            Set(["services", "pods", "endpoints", "namespaces", "deployments", "endpointslices"]).isSubset(
                of: resources))
        #expect(try await kubectl("api-resources", "-o", "wide").output.contains("VERBS"))
        #expect(
            try await kubectl("api-versions").output.split(separator: "\n") == [
                "apps/v1", "authentication.k8s.io/v1", "authorization.k8s.io/v1", "coordination.k8s.io/v1",
                "discovery.k8s.io/v1",
                "events.k8s.io/v1", "policy/v1", "v1",
            ])
        let info = try await kubectl("cluster-info").output.replacing(/\u{1B}\[[0-9;]*m/, with: "")
        #expect(info.hasPrefix("Kubernetes control plane is running at https://127."))
        #expect(info.contains("/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy"))
        #expect(try await kubectl("get", "secrets").errors == "No resources found in kiada namespace.\n")
        let top = try await kubectl("top", "po")
        #expect(top.code == 1 && top.errors == "error: Metrics API not available\n")
        #expect(try await suite.down().code == 0)
    }

    @Test("K13 to K15, K17 to K19, K32: cells of tables, selectors and columns")
    func lists() async throws {
        let file = try home.write(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: kiada-ports}
            spec:
              type: NodePort
              selector: {app: kiada}
              ports:
              - {name: http, port: 80, targetPort: 8080, nodePort: 30080}
              - {name: https, port: 443, targetPort: 8443, nodePort: 30443}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: headless}
            spec: {clusterIP: None, selector: {app: quote}, ports: [{name: http, port: 80}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: time-api}
            spec: {type: ExternalName, externalName: worldtimeapi.org}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: external-service}
            spec: {ports: [{name: http, port: 80}]}
            ---
            apiVersion: v1
            kind: Endpoints
            metadata: {name: external-service}
            subsets:
            - addresses: [{ip: 1.1.1.1}, {ip: 2.2.2.2}]
              ports: [{name: http, port: 88}]
            """, to: "lists.yaml")
        let applied = try await kubectl("apply", "-f", file)
        #expect(applied.code == 0, "\(applied.errors)")
        #expect(applied.errors.contains("Warning: v1 Endpoints is deprecated"))
        let rows = words(try await kubectl("get", "svc", "--no-headers").output)
        func row(_ name: String) -> [String]? { rows.first { $0[0] == name } }
        #expect(row("kiada-ports")?[4] == "80:30080/TCP,443:30443/TCP")
        #expect(row("headless")?[2] == "None")
        #expect(row("time-api").map { Array($0[1...4]) } == ["ExternalName", "<none>", "worldtimeapi.org", "<none>"])
        #expect(
            words(try await kubectl("get", "ep", "external-service", "--no-headers").output).first?[1]
                == "1.1.1.1:88,2.2.2.2:88")
        #expect(try await kubectl("get", "endpointslices").output.contains(" + 1 more..."))
        let both = try await kubectl("get", "po,svc").output.split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(both.contains { $0.hasPrefix("pod/") } && both.contains { $0.hasPrefix("service/") })
        #expect(both.dropLast().contains(""), "a blank line between the tables")
        #expect(words(try await kubectl("get", "po", "-l", "app=kiada,rel!=canary", "-o", "name").output).count == 3)
        #expect(
            words(try await kubectl("get", "po", "--field-selector", "status.phase=Running", "-o", "name").output).count
                == 9)
        #expect(
            try await kubectl("get", "po", "--field-selector", "foo=bar").errors
                == "Error from server (BadRequest): Unable to find \"/v1, Resource=pods\" that match label selector \"\", "
                + "field selector \"foo=bar\": field label not supported: foo\n")
        #expect(try await kubectl("get", "po", "quiz", "--show-labels").output.contains("app=quiz,rel=stable"))
        let sorted = words(
            try await kubectl(
                "get", "po", "--sort-by=.metadata.name", "-o", "custom-columns=N:.metadata.name", "--no-headers"
            ).output)
        #expect(sorted.count == 9 && sorted.first == ["kiada-001"] && sorted.last == ["quote-canary"])
        #expect(
            try await kubectl("create", "deployment", "none", "--image=kiada/quote:1.0", "--replicas=0").code == 0)
        #expect(try await kubectl("get", "deploy", "none", "-o", "jsonpath={.spec.replicas}").output == "0")
        #expect(try await suite.down().code == 0)
    }

    @Test("K36 to K39: waiting and deletion")
    func waiting() async throws {
        #expect(
            try await kubectl("wait", "--for=condition=Ready", "pod/quiz", "--timeout=5s").output
                == "pod/quiz condition met\n")
        #expect(
            try await kubectl("wait", "--for=jsonpath={.spec.type}=ClusterIP", "svc/quote", "--timeout=5s").output
                == "service/quote condition met\n")
        let watch = try ChildProcess(
            Kubectl.program, ["get", "po", "quiz", "-w", "--no-headers"],
            environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        #expect(await eventually { watch.output.split(separator: "\n").count == 1 })
        #expect(try await kubectl("label", "po", "quote-001", "other=pod").code == 0)
        #expect(try await kubectl("label", "po", "quiz", "a=b").code == 0)
        #expect(await eventually { watch.output.split(separator: "\n").count == 2 }, "\(watch.output)")
        watch.signal(SIGKILL)
        _ = await watch.wait()

        #expect(try await kubectl("create", "ns", "test1").code == 0)
        #expect(
            try await kubectl("run", "web", "-n", "test1", "--image=kiada/quote:1.0").output == "pod/web created\n")
        #expect(
            try await kubectl("wait", "-n", "test1", "--for=condition=Ready", "pod/web", "--timeout=10s").code == 0)
        #expect(try await kubectl("delete", "ns", "test1").output.hasPrefix("namespace \"test1\" deleted"))
        #expect(try await kubectl("get", "po", "-n", "test1", "-o", "name").output == "")
        #expect(
            try await kubectl("delete", "po", "quote-002", "--force", "--grace-period=0").output.contains(
                "pod \"quote-002\" force deleted"))
        #expect(try await kubectl("wait", "--for=delete", "pod/quote-002", "--timeout=10s").code == 0)
        let missing = try await kubectl("delete", "svc", "nosuch")
        #expect(missing.code == 1)
        #expect(missing.errors == "Error from server (NotFound): services \"nosuch\" not found\n")
        #expect(try await suite.down().code == 0)
    }

    static let hasPythonClient = runs("python3", "-c", "import kubernetes")

    private static func runs(_ command: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    @Test(
        "K51: the Python client lists, watches, creates, patches, replaces, deletes, reads logs and runs programs",
        .enabled(if: hasPythonClient, "needs the Python client: pip install kubernetes"))
    func python() async throws {
        let script = try home.write(
            """
            from kubernetes import client, config, watch
            from kubernetes.stream import stream
            config.load_kube_config()
            core = client.CoreV1Api()
            assert len(core.list_namespaced_pod("kiada").items) == 9
            body = client.V1Service(metadata=client.V1ObjectMeta(name="py"), spec=client.V1ServiceSpec(
                selector={"app": "quote"}, ports=[client.V1ServicePort(name="http", port=80)]))
            made = core.create_namespaced_service("kiada", body)
            assert made.spec.cluster_ip.startswith("127."), made.spec.cluster_ip
            core.patch_namespaced_service("py", "kiada", {"metadata": {"labels": {"a": "b"}}})
            read = core.read_namespaced_service("py", "kiada")
            assert read.metadata.labels == {"a": "b"}
            read.spec.session_affinity = "ClientIP"
            assert core.replace_namespaced_service("py", "kiada", read).spec.session_affinity == "ClientIP"
            seen = []
            for event in watch.Watch().stream(core.list_namespaced_service, "kiada", timeout_seconds=1):
                seen.append(event["object"].metadata.name)
            assert "py" in seen, seen
            core.delete_namespaced_service("py", "kiada")
            try:
                core.read_namespaced_service("py", "kiada")
                raise SystemExit("still there")
            except client.ApiException as error:
                assert error.status == 404, error
            assert "listens on" in core.read_namespaced_pod_log("quote-001", "kiada")
            run = stream(core.connect_get_namespaced_pod_exec, "quote-001", "kiada",
                command=["sh", "-c", "echo hi; exit 3"], stdout=True, stderr=True, _preload_content=False)
            run.run_forever(timeout=10)
            assert run.read_stdout() == "hi\\n" and run.returncode == 3, run.returncode
            slices = client.DiscoveryV1Api().list_namespaced_endpoint_slice("kiada")
            assert any(len(s.endpoints or []) == 4 for s in slices.items)
            print("done")
            """, to: "client.py")
        let exit = try await ChildProcess.run(
            "python3", [script], environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        #expect(exit.output == "done\n", "\(exit.errors)")
        #expect(try await suite.down().code == 0)
    }
}
