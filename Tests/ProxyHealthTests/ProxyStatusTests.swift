import KiadaTesting
import NetTypes
import ProxyHealth
import ServiceRouting
import Synchronization
import Testing

@Suite("7.14 7.15 health and metrics over HTTP", .timeLimit(.minutes(1)))
struct ProxyStatusTests {
    private let fixture = HealthFixture()

    @Test(
        "7.14 /healthz and /livez: keys in order, 503 while a change waits too long, and for /healthz without the node")
    func health() async throws {
        let status = fixture.status()
        try await HealthFixture.withServer(status) { (server: SocketEndpoint) async throws in
            let now = "2026-11-24T15:04:05.500000000Z"
            let tail = "\"status\":{\"IPv4\":{\"lastUpdated\":\"\(now)\",\"healthy\":true}}}"
            let head = "{\"lastUpdated\":\"\(now)\",\"currentTime\":\"\(now)\","
            func get(_ path: String) async throws -> String {
                try await HealthFixture.curl("-w", " %{http_code} %{content_type}", "http://\(server)\(path)")
            }
            #expect(
                try await get("/healthz") == head + "\"nodeEligible\":true,\"healthy\":true," + tail
                    + " 200 application/json")
            #expect(try await get("/livez?verbose") == head + "\"healthy\":true," + tail + " 200 application/json")
            fixture.isNodeEligible.withLock { $0 = false }
            #expect(try await get("/healthz").hasSuffix(" 503 application/json"))
            #expect(try await get("/healthz").contains("\"nodeEligible\":false,\"healthy\":true"))
            #expect(try await get("/livez").hasSuffix(" 200 application/json"))
            #expect(try await get("/proxyMode") == "userspace 200 text/plain; charset=utf-8")
            #expect(try await get("/other").contains(" 404 "))
        }
    }

    @Test("7.14 a sync that hangs for a minute shows in /livez, with the time of the last that did not")
    func hanging() async throws {
        let status = fixture.status()
        await status.measure(services: 1, endpoints: 1, isFull: true, triggers: []) { false }
        await status.measure(services: 1, endpoints: 0, isFull: false, triggers: []) {
            fixture.time.withLock { $0 += 60_000_000_000 }
            #expect(!status.isHealthy)
            let reply = await status.reply(to: "/livez")
            #expect(reply.status == 503 && reply.body.hasPrefix("{\"lastUpdated\":\"2026-11-24T15:04:05.5"))
            #expect(
                reply.body.contains("\"currentTime\":\"2026-11-24T15:05:05.5")
                    && reply.body.contains("\"healthy\":false"))
            return false
        }
        #expect(status.isHealthy)
        let page = await status.reply(to: "/metrics").body
        #expect(page.contains("kubeproxy_proxy_livez_total{code=\"503\"} 1\n"))
    }

    @Test("7.15 /metrics has kube-proxy's names, what each endpoint carried, and is well-formed")
    func metrics() async throws {
        let id = ServicePortID(
            service: ServiceID(namespace: "kiada", name: "quote"), portName: "http", proto: .tcp)
        let endpoint = try #require(SocketEndpoint("10.244.1.5:8080"))
        fixture.counters.withLock {
            $0 = [
                EndpointCounters(
                    port: id, endpoint: endpoint, connections: 7, active: 2, bytesToEndpoint: 70, bytesToClient: 700,
                    dialFailures: 1)
            ]
        }
        let other = "# HELP more_total More.\n# TYPE more_total counter\nmore_total 3\n"
        let status = fixture.status(plane: "nftables", other: other)
        await status.measure(services: 3, endpoints: 4, isFull: true, triggers: []) { true }
        status.setNoLocalEndpoints(NoLocalEndpoints(internalPolicy: 2, externalPolicy: 1))
        try await HealthFixture.withServer(status) { (server: SocketEndpoint) async throws in
            let page = try await HealthFixture.curl("http://\(server)/metrics")
            #expect(PrometheusFormat.problems(in: page) == [])
            let labels =
                "{namespace=\"kiada\",service=\"quote\",port=\"http\",protocol=\"TCP\",endpoint=\"10.244.1.5:8080\"}"
            for line in [
                "kiada_proxy_connections_total\(labels) 7", "kiada_proxy_active_connections\(labels) 2",
                "kiada_proxy_dial_failures_total\(labels) 1", "kiada_proxy_to_endpoint_bytes_total\(labels) 70",
                "kiada_proxy_to_client_bytes_total\(labels) 700", "more_total 3",
                "kubeproxy_sync_proxy_rules_duration_seconds_count 1",
                "kubeproxy_sync_full_proxy_rules_duration_seconds_count 1",
                "kubeproxy_sync_partial_proxy_rules_duration_seconds_count 0",
                "kubeproxy_sync_proxy_rules_service_changes_total 3",
                "kubeproxy_sync_proxy_rules_endpoint_changes_total 4",
                "kubeproxy_sync_proxy_rules_endpoint_changes_pending 0",
                "kubeproxy_sync_proxy_rules_last_timestamp_seconds 1795532645.5",
                "kubeproxy_sync_proxy_rules_no_local_endpoints_total{traffic_policy=\"internal\"} 2",
                "kubeproxy_sync_proxy_rules_no_local_endpoints_total{traffic_policy=\"external\"} 1",
                "kubeproxy_sync_proxy_rules_nftables_sync_failures_total 1",
                "kubeproxy_network_programming_duration_seconds_bucket{le=\"0.25\"} 0",
                "kubeproxy_proxy_healthz_total{code=\"200\"} 0",
            ] {
                #expect(page.contains("\n\(line)\n"), "\(line)")
            }
        }
    }

    @Test("Only GET and HEAD, only for names of this machine; IPv6 too; connections are used again")
    func requests() async throws {
        let status = fixture.status()
        try await HealthFixture.withServer(status) { (server: SocketEndpoint) async throws in
            let url = "http://\(server)/livez"
            let code = ["-o", "/dev/null", "-w", "%{http_code}"]
            func answer(_ arguments: String...) async throws -> String {
                try await ChildProcess.run("curl", ["-sS", "--max-time", "10"] + code + arguments + [url]).output
            }
            #expect(try await answer("-X", "POST", "-d", "x") == "405")
            #expect(try await answer("--head") == "200")
            #expect(try await answer("-H", "Host: evil.example:10256") == "421")
            for host in ["localhost:10256", "NODE-1", "[::1]:10256", "127.0.0.1"] {
                #expect(try await answer("-H", "Host: \(host)") == "200")
            }
            let twice = try await HealthFixture.curl(
                "-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ", url, url)
            #expect(twice == "1 0 ")
        }
        let six = SocketEndpoint(address: .v6(IPv6Address(high: 0, low: 1)), port: 0)
        try await HealthFixture.withServer(status, at: six) { (server: SocketEndpoint) async throws in
            #expect(try await HealthFixture.curl("http://\(server)/proxyMode") == "userspace")
        }
    }

    @Test("Values of labels cannot break out of their line")
    func escaping() {
        var text = PrometheusText()
        text.family("a_total", .counter, "A.")
        text.sample("a_total", ["x": "q\"b\\c\nd"], 1)
        #expect(text.text == "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"q\\\"b\\\\c\\nd\"} 1\n")
        #expect(PrometheusFormat.problems(in: text.text) == [])
        #expect(!PrometheusFormat.problems(in: text.text + "a_total{x=\"q\"b\"} 1\n").isEmpty)
        #expect(!PrometheusFormat.problems(in: "b 1\n").isEmpty)
    }
}
