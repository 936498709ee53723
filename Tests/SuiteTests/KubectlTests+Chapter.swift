import Foundation
import KiadaTesting
import Testing

/// What the chapter says, tried with the real client; S-numbers are those of semantics 10.
extension KubectlTests {
    private func apply(_ manifest: String) async throws -> ChildProcess.Exit {
        try await kubectl("apply", "-f", try home.write(manifest, to: "chapter.yaml"))
    }

    private func service(_ name: String, _ spec: String) -> String {
        "apiVersion: v1\nkind: Service\nmetadata: {name: \(name)}\nspec: \(spec)\n"
    }

    @Test("1.9, 2.8.1 [V], S1, S4, S6, S16: applying over what expose made; refusals as kubectl prints them")
    func applied() async throws {
        _ = try await kubectl("delete", "svc", "quiz", "quote")
        _ = try await kubectl("expose", "pod", "quiz", "--name", "quiz")
        let quote = service(
            "quote",
            "{type: ClusterIP, selector: {app: quote}, ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]}")
        #expect(try await apply(quote).output == "service/quote created\n")
        let quiz = service(
            "quiz",
            "{type: ClusterIP, selector: {app: quiz}, ports: [{name: http, port: 80, targetPort: 8080, protocol: TCP}]}"
        )
        // The unnamed port 8080 stays beside the new one, because nobody has applied it before.
        let refused = try await apply(quiz)
        #expect(refused.code == 1)
        #expect(refused.errors.contains("Warning: resource services/quiz is missing the"))
        #expect(refused.errors.contains("The Service \"quiz\" is invalid: spec.ports["))
        #expect(refused.errors.contains("].name: Required value\n"), "\(refused.errors)")
        _ = try await kubectl("set", "selector", "service", "quiz", "app=quiz")
        _ = try await kubectl(
            "edit", "svc", "quiz", environment: ["KUBE_EDITOR": "sed -i 's/port: 8080$/port: 80/'"])
        let address = try await kubectl("get", "svc", "quiz", "-o", "jsonpath={.spec.clusterIP}").output
        #expect(try await apply(quiz).output == "service/quiz configured\n")
        let after = try await kubectl(
            "get", "svc", "quiz", "-o", "jsonpath={.spec.clusterIP} {.spec.ports[*].name} {.spec.selector}")
        #expect(after.output == "\(address) http {\"app\":\"quiz\"}")

        let unnamed = try await apply(service("two", "{ports: [{port: 80}, {port: 81}]}"))
        #expect(
            unnamed.errors
                == "The Service \"two\" is invalid: \n* spec.ports[0].name: Required value\n* spec.ports[1].name: Required value\n"
        )
        let type = try await apply(service("type", "{type: Foo, ports: [{port: 80}]}"))
        #expect(
            type.errors
                == "The Service \"type\" is invalid: spec.type: Unsupported value: \"Foo\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\"\n"
        )
        let dual = try await apply(service("dual", "{ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]}"))
        #expect(
            dual.errors
                == "The Service \"dual\" is invalid: spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services\n"
        )
        let taken = try await apply(service("taken", "{clusterIP: \(address), ports: [{port: 80}]}"))
        #expect(
            taken.errors
                == "The Service \"taken\" is invalid: spec.clusterIPs: Invalid value: [\"\(address)\"]: failed to allocate IP \(address): provided IP is already allocated\n"
        )
        #expect(try await suite.down().code == 0)
    }

    @Test("2.10, 2.11 [V], S12, S13, S17, S42, 3.11: tables and descriptions of every type of Service")
    func printed() async throws {
        for (name, spec) in [
            (
                "np",
                "{type: NodePort, selector: {app: kiada}, ports: [{name: http, port: 80, nodePort: 30080, targetPort: 8080}, {name: https, port: 443, nodePort: 30443, targetPort: 8443}]}"
            ),
            ("time-api", "{type: ExternalName, externalName: worldtimeapi.org}"),
            ("h", "{clusterIP: None, selector: {app: quote}, ports: [{name: http, port: 80}]}"),
            ("bare", "{ports: [{port: 80}]}"),
            ("outer", "{externalIPs: [192.0.2.1, 192.0.2.2], sessionAffinity: ClientIP, ports: [{port: 80}]}"),
        ] { #expect(try await apply(service(name, spec)).output == "service/\(name) created\n") }
        func cells(_ kind: String, _ name: String) async throws -> [String] {
            let rows = words(try await kubectl("get", kind, "-o", "wide").output)
            return try #require(rows.first { $0[0] == name })
        }
        for kind in ["svc", "service", "services"] {
            #expect(try await cells(kind, "np")[4] == "80:30080/TCP,443:30443/TCP")
        }
        let external = try await cells("svc", "time-api")
        #expect(external.dropLast(2) == ["time-api", "ExternalName", "<none>", "worldtimeapi.org", "<none>"])
        #expect(try await cells("svc", "h")[2] == "None")
        #expect(try await cells("svc", "bare").last == "<none>")
        #expect(try await cells("svc", "outer")[3] == "192.0.2.1,192.0.2.2")
        let described = try await kubectl("describe", "svc", "outer").output
        for line in [
            "Selector:                 <none>", "External IPs:             192.0.2.1,192.0.2.2",
            "Port:                     <unset>  80/TCP", "Session Affinity:         ClientIP",
            "External Traffic Policy:  Cluster", "Internal Traffic Policy:  Cluster",
        ] { #expect(described.contains(line), "\(line)\n\(described)") }
        #expect(try await kubectl("describe", "svc", "np").output.contains("NodePort:                 http  30080/TCP"))
        let slices = words(try await kubectl("get", "endpointslices").output)
        #expect(slices.first == ["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"])
        let endpoints = try await kubectl("get", "ep")
        #expect(
            endpoints.errors.contains(
                "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"))
        #expect(words(endpoints.output).first == ["NAME", "ENDPOINTS", "AGE"])
        #expect(endpoints.output.contains(" + 1 more..."))
        let built = words(try await kubectl("get", "svc,ep", "-n", "default").output)
        #expect(
            built.contains { $0.first == "service/kubernetes" } && built.contains { $0.first == "endpoints/kubernetes" }
        )
        #expect(try await suite.down().code == 0)
    }

    @Test("kubectl taint and cordon: where pods go, and what the Event says")
    func taints() async throws {
        let node = try await kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}").output
        #expect(try await kubectl("taint", "nodes", node, "k=v:NoSchedule").output == "node/\(node) tainted\n")
        let pod =
            "apiVersion: v1\nkind: Pod\nmetadata: {name: late}\nspec: {containers: [{name: c, image: kiada/quote}]}\n"
        #expect(try await apply(pod).output == "pod/late created\n")
        let message =
            "0/1 nodes are available: 1 node(s) had untolerated taint {k: v}. preemption: 0/1 nodes are available"
        #expect(
            try await eventually {
                try await kubectl("get", "events", "--field-selector", "involvedObject.name=late").output
                    .contains(message)
            })
        #expect(try await kubectl("describe", "node", node).output.contains("Taints:             k=v:NoSchedule"))
        #expect(try await kubectl("taint", "nodes", node, "k:NoSchedule-").output == "node/\(node) untainted\n")
        #expect(try await kubectl("wait", "--for=condition=PodScheduled", "pod/late", "--timeout=20s").code == 0)
        #expect(try await kubectl("taint", "nodes", node, "gone=now:NoExecute").code == 0)
        #expect(try await kubectl("wait", "--for=delete", "pod/late", "--timeout=40s").code == 0)
        #expect(try await suite.down().code == 0)
    }

    @Test(
        "Objects as they are served have only fields of the official schema, with the right types",
        .enabled(if: hasPythonClient, "needs the Python client: pip install kubernetes"))
    func schema() async throws {
        let deployment = try await kubectl("create", "deployment", "web", "--image=kiada/quote:1.0", "--replicas=2")
        #expect(deployment.code == 0)
        for arguments in [
            ["create", "cm", "conf", "--from-literal=a=b"], ["create", "secret", "generic", "s", "--from-literal=a=b"],
            ["create", "svc", "externalname", "en", "--external-name", "example.com"],
        ] {
            #expect(
                try await ChildProcess.run(
                    Kubectl.program, arguments,
                    environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"]
                ).code == 0)
        }
        let headless = service("h", "{clusterIP: None, selector: {app: quote}, ports: [{name: http, port: 80}]}")
        #expect(try await apply(headless).code == 0)
        #expect(try await kubectl("rollout", "status", "deployment/web", "--timeout=30s").code == 0)
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Schema/check_objects.py").path
        let exit = try await ChildProcess.run("python3", [script, suite.state + "/kubeconfig"])
        #expect(exit.code == 0, "\(exit.output)\(exit.errors)")
        #expect(try await suite.down().code == 0)
    }

    @Test(
        "The conformance cases of Kubernetes on Services, Endpoints, EndpointSlices and DNS hold",
        .enabled(if: hasPythonClient && geteuid() == 0, "needs the Python client, and containers of their own"))
    func conformance() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Conformance/run.py").path
        let exit = try await ChildProcess.run(
            "python3", [script, suite.state + "/kubeconfig", "[sig-network]"],
            environment: ["KUBECTL": Kubectl.program, "HOME": home.path])
        #expect(exit.code == 0, "\(exit.output)\(exit.errors)")
        #expect(try await suite.down().code == 0)
    }
}
