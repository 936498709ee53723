import Foundation
import KiadaTesting
import SuiteRuntime
import Testing

/// `--nodes N`: several nodes are played on one machine.
@Suite("Several nodes", .serialized, .enabled(if: RunningSuite.obstacle == nil, "needs ports below 1024"))
struct NodesTests {
    @Test("pods are spread and pinned; traffic policies and distribution tell the nodes apart (7.4, 7.5)")
    func nodes() async throws {
        let folder = try TemporaryFolder("nodes")
        try Self.manifests.write(toFile: folder.path + "/web.yaml", atomically: true, encoding: .utf8)
        let suite = try RunningSuite(manifests: folder.path)
        let up = try await suite.up(["--nodes", "3"])
        #expect(up.code == 0, "\(up.errors)")

        // The first node has the first quarter of the pods' addresses, the second one the next quarter.
        let first = "127.\(suite.block).128.200"
        let second = "127.\(suite.block).160.200"
        let third = "127.\(suite.block).192.200"
        let local = try suite.clusterIP("local")
        #expect(try await answers(suite, "http://\(local)/", from: first) == ["web-named"])
        #expect(try await answers(suite, "http://\(local)/", from: second) == ["web-zone-b"])
        #expect(try await answers(suite, "http://\(local)/", from: third) == ["web-zspread"])

        let near = try suite.clusterIP("near")
        #expect(try await answers(suite, "http://\(near)/", from: second) == ["web-zone-b"])
        let wide = try suite.clusterIP("wide")
        #expect(
            try await answers(suite, "http://\(wide)/", from: second) == ["web-named", "web-zone-b", "web-zspread"])

        // 7.5: every node's address has the node port; programs of this machine are on a node, so Local policy of a
        // node port leaves them all pods.
        let network = "127.\(suite.block).65"
        for node in ["2", "3", "4"] {
            #expect(
                try await answers(suite, "http://\(network).\(node):30087/", from: nil)
                    == ["web-named", "web-zone-b", "web-zspread"], "node at \(network).\(node)")
        }

        try await suite.down()
        // With one node again, the other nodes' pods go there, unless their selector forbids it.
        let again = try await suite.up(["--timeout", "3"])
        #expect(again.code == 1)
        #expect(again.errors.contains("0/1 nodes are available"), "\(again.errors)")
    }

    @Test("A number of nodes out of range is refused")
    func refused() async throws {
        let suite = try RunningSuite(manifests: "/nowhere")
        let up = try await suite.up(["--nodes", "17"])
        #expect(up.code == 64)
        #expect(up.errors.contains("--nodes 17: must be between 1 and 16"))
    }

    /// The pods that answered 40 connections.
    private func answers(_ suite: RunningSuite, _ url: String, from address: String?) async throws -> Set<String> {
        let source = address.map { ["--interface", $0] } ?? []
        let exit = try await ChildProcess.run(
            "curl", ["-sS", "--max-time", "5", "--fail-early", "-H", "Connection: close"] + source + ["\(url)?[1-40]"])
        let lines = exit.output.split(separator: "\n").map(String.init)
        return Set(lines.map { $0.replacing("This is the quote service running in pod ", with: "") })
    }

    private static let container = """
        containers:
            - name: web
              image: kiada/quote:1.0
              ports: [{name: http, containerPort: 80}]
              readinessProbe: {httpGet: {path: /healthz/ready, port: http}}
              env:
                - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
                - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                - {name: HTTP_PORT, value: "80"}
        """

    private static let manifests = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web-named, labels: {app: web}}
        spec:
          nodeName: kiada-node
          \(container)
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web-zone-b, labels: {app: web}}
        spec:
          nodeSelector: {topology.kubernetes.io/zone: zone-b}
          \(container)
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web-zspread, labels: {app: web}}
        spec:
          \(container)
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: local}
        spec:
          type: NodePort
          internalTrafficPolicy: Local
          externalTrafficPolicy: Local
          selector: {app: web}
          ports: [{port: 80, targetPort: http, nodePort: 30087}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: near}
        spec:
          trafficDistribution: PreferClose
          selector: {app: web}
          ports: [{port: 80, targetPort: http}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: wide}
        spec:
          selector: {app: web}
          ports: [{port: 80, targetPort: http}]
        """
}
