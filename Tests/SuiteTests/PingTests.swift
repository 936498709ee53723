import Foundation
import KiadaTesting
import Testing

/// Addresses of Services mean nothing but at their ports, and nothing at all elsewhere.
@Suite(
    "Addresses of Services",
    .enabled(
        if: RunningSuite.obstacle == nil && geteuid() == 0 && Kubectl.isInstalled, "needs root, kubectl, nftables"))
struct PingTests {
    @Test(
        "S54, S55: a Service's name resolves, and nobody answers a ping",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/ping"), "needs iputils-ping"))
    func ping() async throws {
        let suite = try RunningSuite()
        let up = try await suite.up(["--data-plane", "nftables"])
        #expect(up.code == 0, "\(up.errors)")
        let address = try suite.clusterIP("quiz")
        let ping = try await ChildProcess.run(
            Kubectl.program, ["exec", "quote-001", "--", "ping", "-c", "1", "-W", "1", "quiz"],
            environment: ["HOME": suite.folder.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        #expect(ping.output.hasPrefix("PING quiz.kiada.svc.cluster.local (\(address)) 56"), "\(ping.output)")
        #expect(ping.output.contains("1 packets transmitted, 0 received, 100% packet loss"))
        #expect(ping.code == 1 && ping.errors.hasSuffix("command terminated with exit code 1\n"))
        #expect(try await suite.curl("http://\(address):81/").code == 7)
        #expect(try await suite.curl("http://\(address)/").output.contains("quiz service"))
        #expect(try await suite.down().code == 0)
    }

    @Test("S26: a client in another network gets no connection to a cluster IP, where pods and the node get one")
    func elsewhere() async throws {
        let suite = try RunningSuite()
        #expect(try await suite.up().code == 0)
        let url = "http://\(try suite.clusterIP("quiz"))/"
        #expect(try await suite.curl(url).code == 0)
        let pod = try await ChildProcess.run(
            Kubectl.program, ["exec", "quote-001", "--", "curl", "-sS", url],
            environment: ["HOME": suite.folder.path, "KUBECONFIG": suite.state + "/kubeconfig"])
        #expect(pod.output.contains("quiz service"))
        let outside = try await ChildProcess.run(
            "unshare", ["--net", "sh", "-c", "ip link set lo up && exec curl -sS --max-time 5 \(url)"])
        #expect(outside.code == 7 && outside.output.isEmpty, "\(outside.errors)")
        #expect(try await suite.down().code == 0)
    }
}
