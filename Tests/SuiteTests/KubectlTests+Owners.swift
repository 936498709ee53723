import Foundation
import KiadaTesting
import Testing

/// Deletion with its policies, revisions, nodes that are emptied, and refusals, as kubectl shows them.
extension KubectlTests {
    private func run(_ arguments: [String]) async throws -> ChildProcess.Exit {
        try await ChildProcess.run(
            Kubectl.program, arguments, environment: ["HOME": home.path, "KUBECONFIG": suite.state + "/kubeconfig"])
    }

    private func names(_ kinds: String, _ selector: String) async throws -> [String] {
        try await kubectl("get", kinds, "-l", selector, "-o", "name").output.split(separator: "\n").map(String.init)
    }

    @Test("delete --cascade, finalizers, rollout undo, history and the Events of a Deployment")
    func cascade() async throws {
        let create = ["create", "deployment", "web", "--image=kiada/quote:1.0", "--replicas=2"]
        let status = ["rollout", "status", "deploy/web", "--timeout=20s"]
        #expect(try await run(create).code == 0)
        #expect(try await run(status).code == 0)
        let (sets, pods) = (try await names("rs", "app=web"), try await names("pods", "app=web"))
        #expect(sets.count == 1 && pods.count == 2)
        #expect(try await kubectl("delete", "deploy", "web", "--cascade=orphan").code == 0)
        #expect(try await names("rs", "app=web") == sets)
        #expect(try await names("pods", "app=web") == pods)
        #expect(try await run(create).code == 0)
        #expect(try await run(status).code == 0)
        #expect(try await names("pods", "app=web") == pods)
        // There and back again: the third revision is the first one's ReplicaSet.
        _ = try await kubectl("annotate", "deploy/web", "kubernetes.io/change-cause=first")
        _ = try await kubectl("set", "env", "deploy/web", "A=b")
        _ = try await kubectl("annotate", "deploy/web", "kubernetes.io/change-cause=second", "--overwrite")
        #expect(try await run(status).code == 0)
        #expect(
            try await kubectl("rollout", "undo", "deploy/web", "--to-revision=1").output
                == "deployment.apps/web rolled back\n")
        #expect(try await run(status).code == 0)
        #expect(try await names("rs", "app=web").count == 2)
        #expect(
            words(try await kubectl("rollout", "history", "deploy/web").output).filter {
                $0.first.flatMap { Int($0) } != nil
            }
                == [["2", "second"], ["3", "first"]])
        let described = try await kubectl("describe", "deploy", "web").output
        #expect(described.contains("deployment-controller  Scaled up replica set"), "\(described)")
        let foreground = try await kubectl("delete", "deploy", "web", "--cascade=foreground", "--timeout=40s")
        #expect(foreground.code == 0, "\(foreground.errors)")
        #expect(try await names("rs,pods", "app=web").isEmpty)

        let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: fin, finalizers: [example.com/wait]}}"
        #expect(try await kubectl("create", "-f", try home.write("---\n" + manifest, to: "fin.yaml")).code == 0)
        #expect(try await kubectl("delete", "cm", "fin", "--wait=false").code == 0)
        let deleted = ["get", "cm", "fin", "-o", "jsonpath={.metadata.deletionTimestamp}"]
        #expect(try await run(deleted).output.hasPrefix("20"))
        #expect(
            try await kubectl("patch", "cm", "fin", "--type=merge", "-p", #"{"metadata":{"finalizers":null}}"#).code
                == 0)
        #expect(try await run(deleted).code == 1)
        #expect(try await suite.down().code == 0)
    }

    @Test("drain evicts all but the pod of cluster DNS, and uncordon lets pods in again")
    func drained() async throws {
        let drain = try await kubectl(
            "drain", "kiada-node", "--force", "--delete-emptydir-data", "--grace-period=1", "--timeout=40s")
        #expect(drain.code == 0, "\(drain.errors)")
        #expect(drain.output.contains("pod/quote-001 evicted\n") && drain.output.hasSuffix("node/kiada-node drained\n"))
        #expect(try await kubectl("get", "pods", "-A", "-o", "name").output == "pod/cluster-dns-kiada-node\n")
        #expect(try await kubectl("uncordon", "kiada-node").output == "node/kiada-node uncordoned\n")
        #expect(try await kubectl("run", "again", "--image=kiada/quote:1.0").code == 0)
        #expect(try await kubectl("wait", "--for=condition=Ready", "pod/again", "--timeout=20s").code == 0)
        #expect(try await suite.down().code == 0)
    }

    @Test("what cannot be is refused as a cluster does it")
    func refused() async throws {
        for (manifest, message) in [
            (
                "{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {ports: [{port: abc}]}}",
                #"Error from server (BadRequest): error when creating "FILE": Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32"#
            ),
            (
                "{apiVersion: v1, kind: Secret, metadata: {name: x}, data: {a: 'not base64!'}}",
                #"Error from server (BadRequest): error when creating "FILE": Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3"#
            ),
            (
                "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {..: a}}",
                #"The ConfigMap "x" is invalid: data[..]: Invalid value: "..": must not be '..'"#
            ),
            (
                "{apiVersion: batch/v1, kind: Job, metadata: {name: x}}",
                #"""
                error: resource mapping not found for name: "x" namespace: "" from "FILE": no matches for kind "Job" in version "batch/v1"
                ensure CRDs are installed first
                """#
            ),
            (
                "{apiVersion: v1, kind: Foo, metadata: {name: x}}",
                #"""
                error: resource mapping not found for name: "x" namespace: "" from "FILE": no matches for kind "Foo" in version "v1"
                ensure CRDs are installed first
                """#
            ),
        ] {
            // A text that begins with a brace is taken for JSON.
            let file = try home.write("---\n" + manifest, to: "refused.yaml")
            let exit = try await kubectl("create", "-f", file)
            #expect(exit.code == 1)
            #expect(exit.errors == message.replacing("FILE", with: file) + "\n")
        }
        for (arguments, message) in [
            (
                ["patch", "svc", "quote", "--type=json", "-p", #"[{"op":"remove","path":"/spec/nope"}]"#],
                "The request is invalid: the server rejected our request due to an error in our request"
            ),
            (
                ["patch", "svc", "quote", "-p", #"{"metadata":{"name":"other"}}"#],
                "Error from server (BadRequest): the name of the object (other) does not match the name on the URL (quote)"
            ),
            (
                ["debug", "quote-001", "--image=busybox", "--profile=general"],
                #"error: ephemeral containers are disabled for this cluster (error from server: "the server could not find the requested resource")"#
            ),
        ] {
            let exit = try await run(arguments)
            #expect(exit.code == 1 && exit.errors.hasSuffix(message + "\n"), "\(exit.errors)")
        }
        let container = try await kubectl("exec", "quote-001", "-c", "nope", "--", "true")
        #expect(container.code == 1 && container.errors.contains("container nope is not valid for pod quote-001"))
        // A pod whose image cannot be had has not been restarted.
        #expect(try await kubectl("run", "broken", "--image=nginx").code == 0)
        let waiting = ["get", "pod", "broken", "--no-headers"]
        #expect(
            try await eventually {
                words(try await run(waiting).output).first?.dropLast() == ["broken", "0/1", "ErrImagePull", "0"]
            })
        #expect(try await suite.down().code == 0)
    }
}
