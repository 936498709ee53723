import ClusterModel
import ClusterStore
import KiadaTesting
import NetTypes
import ProxyHealth
import Testing

@testable import ServiceProxy

@Suite("7.13 to 7.15 health and metrics of a running proxy", .timeLimit(.minutes(1)))
struct HealthTests {
    @Test("7.14 healthz and livez are 200; a node that is marked for removal gets no traffic, and still lives")
    func health() async throws {
        try await RunningProxy.with { (running: RunningProxy) async throws in
            #expect(try await running.curl("/healthz").contains(#""nodeEligible":true,"healthy":true"#))
            #expect(try await running.status("/livez") == "200")
            #expect(try await running.curl("/proxyMode") == "userspace")
            _ = try running.store.modify(ObjectKey(.nodes, name: "node-1")) { node in
                node.json["spec"]?["taints"] = [
                    ["key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule", "value": "1"]
                ]
            }
            #expect(try await running.status("/healthz") == "503")
            #expect(try await running.status("/livez") == "200")
        }
    }

    @Test("7.15 metrics tell of syncs, endpoints without a place here, answers, and DNS, as Prometheus reads them")
    func metrics() async throws {
        try await RunningProxy.with { (running: RunningProxy) async throws in
            try running.createLocalService("far", healthCheckNodePort: 31_811)
            try running.setEndpoints(of: "far", on: ["node-2"])
            await running.settle()
            let dns = try #require(running.proxy.dnsAddress)
            let answer = try await ChildProcess.run(
                "dig", ["@\(dns)", "-p", "5353", "+short", "+tries=1", "far.kiada.svc.cluster.local"])
            #expect(answer.output.hasPrefix("127."))
            _ = try await running.curl("/healthz")
            let text = try await running.curl("/metrics")
            #expect(PrometheusFormat.problems(in: text) == [])
            for line in [
                #"kubeproxy_sync_proxy_rules_no_local_endpoints_total{traffic_policy="external"} 1"#,
                #"kubeproxy_proxy_healthz_total{code="200"} 1"#,
                #"kiada_dns_queries_total{type="A",code="NOERROR"} 1"#,
                "kiada_dns_query_duration_seconds_count 1", "kubeproxy_sync_proxy_rules_endpoint_changes_pending 0",
            ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
            #expect(!text.contains("\nkubeproxy_sync_proxy_rules_duration_seconds_count 0\n"))
        }
    }

    @Test("7.13 the port for load balancers answers 200 with a local endpoint, else 503, and goes with its Service")
    func healthCheckNodePort() async throws {
        try await RunningProxy.with { (running: RunningProxy) async throws in
            try running.createLocalService("near", healthCheckNodePort: 31_812)
            try running.setEndpoints(of: "near", on: ["node-1", "node-2", "node-1"])
            await running.settle()
            let body = try await running.curl("/", port: 31_812)
            #expect(body.contains("\"localEndpoints\": 2,\n\t\"serviceProxyHealthy\": true\n}"), "\(body)")
            #expect(try await running.status("/", port: 31_812) == "200")
            try running.setEndpoints(of: "near", on: ["node-2"])
            #expect(await eventually { (try? await running.status("/", port: 31_812)) == "503" })
            _ = try running.store.delete(ObjectKey(.services, namespace: "kiada", name: "near"))
            #expect(await eventually { (try? await running.status("/", port: 31_812)) == "000" })
        }
    }

    @Test("7.13 a port that is taken is told as an Event of the Service, once, and as a problem")
    func takenPort() async throws {
        try await RunningProxy.with { (running: RunningProxy) async throws in
            let other = try await HealthServer.start(
                at: SocketEndpoint(address: running.configuration.nodeAddress, port: 31_813)
            ) { _ in .text("other") }
            try running.createLocalService("late", healthCheckNodePort: 31_813)
            try running.setEndpoints(of: "late", on: ["node-1"])
            #expect(await eventually { running.proxy.problems.contains { $0.contains("port 31813") } })
            await running.settle()
            let events = running.store.list(.events).items.filter {
                $0.json["involvedObject"]?["name"]?.stringValue == "late"
            }
            #expect(events.map { $0.json["reason"]?.stringValue } == ["FailedToStartServiceHealthcheck"])
            #expect(events.first?.json["count"]?.intValue == 1)
            await other.stop()
        }
    }

    @Test("A port of health that is taken is a problem with a remedy, and the rest works; port nil is none at all")
    func noHealth() async throws {
        try await RunningProxy.with { (first: RunningProxy) async throws in
            try await RunningProxy.with({ $0.healthAddress = first.configuration.healthAddress }) {
                (second: RunningProxy) async throws in
                #expect(await eventually { second.proxy.problems.contains { $0.contains("--health-port") } })
                #expect(second.proxy.isSettled)
            }
        }
        try await RunningProxy.with({ $0.healthPort = nil }) { (running: RunningProxy) async throws in
            #expect(try await running.status("/livez") == "000")
            #expect(running.proxy.problems.isEmpty)
        }
    }
}
