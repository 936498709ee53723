import ClusterModel
import KiadaTesting
import NetTypes
import ProxyHealth
import ServiceRouting
import Synchronization
import Testing

@Suite("7.13 servers on healthCheckNodePorts", .timeLimit(.minutes(1)))
struct HealthCheckServersTests {
    private let id = ServiceID(namespace: "kiada", name: "kiada")
    private let addresses: [IPAddress] = ["127.203.0.1", "127.203.0.2"].compactMap { IPAddress($0) }

    /// The checks of one Service with `ready` endpoints on the node.
    private func checks(port: UInt16, ready: Int) -> [ServiceID: HealthCheck] {
        var service = KubeObject(.services, namespace: id.namespace, name: id.name)
        service.json["spec"] = [
            "type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": JSONValue(Int(port)),
            "clusterIPs": ["10.96.0.7"], "ports": [["port": 80]],
        ]
        var slice = KubeObject(.endpointslices, namespace: id.namespace, name: "s")
        slice.labels = [EndpointSlice.serviceNameLabel: id.name]
        slice.json["addressType"] = "IPv4"
        slice.json["endpoints"] = .array(
            (0..<ready).map { number in
                [
                    "addresses": [.string("10.244.0.\(number + 1)")], "nodeName": "node-1",
                    "conditions": ["ready": true],
                ]
            })
        let table = RoutingTable(
            services: [Service(service)], slices: [EndpointSlice(slice)], options: RoutingOptions(nodeName: "node-1"))
        return table.healthChecks
    }

    private func get(_ port: UInt16, _ more: String...) async throws -> String {
        try await ChildProcess.run(
            "curl", ["-sS", "--max-time", "5", "http://127.203.0.2:\(port)/any/path"] + more
        ).output
    }

    @Test("200 with local endpoints and a healthy proxy, else 503; the body to the letter, and the weight")
    func answers() async throws {
        let isHealthy = Mutex(true)
        let servers = HealthCheckServers(addresses: addresses) { isHealthy.withLock { $0 } }
        #expect(await servers.set(checks(port: 31_801, ready: 2)) == [])
        let body = """
            {
            \t"service": {
            \t\t"namespace": "kiada",
            \t\t"name": "kiada"
            \t},
            \t"localEndpoints": 2,
            \t"serviceProxyHealthy": true
            }
            """
        #expect(try await get(31_801) == body)
        let head = try await get(31_801, "--head").lowercased()
        #expect(head.contains("x-load-balancing-endpoint-weight: 2") && head.contains("http/1.1 200"))
        #expect(head.contains("x-content-type-options: nosniff") && head.contains("content-type: application/json"))
        isHealthy.withLock { $0 = false }
        #expect(try await get(31_801, "-w", "%{http_code}").hasSuffix("\"serviceProxyHealthy\": false\n}503"))
        isHealthy.withLock { $0 = true }
        #expect(await servers.set(checks(port: 31_801, ready: 0)) == [])
        #expect(try await get(31_801, "-w", "%{http_code}").hasSuffix("503"))
        await servers.stop()
        #expect(try await get(31_801) == "")
    }

    @Test("A server follows its Service's port; one whose port is taken is told, and opened once it is free")
    func ports() async throws {
        let blocker = try await HealthServer.start(
            at: SocketEndpoint(address: addresses[1], port: 31_803)
        ) { _ in .text("other") }
        let servers = HealthCheckServers(addresses: addresses) { true }
        #expect(await servers.set(checks(port: 31_802, ready: 1)) == [])
        let problems = await servers.set(checks(port: 31_803, ready: 1))
        #expect(problems.map(\.port) == [31_803])
        #expect(problems.first?.description.contains("kiada/kiada cannot listen on port 31803") == true)
        #expect(try await get(31_802) == "")
        await blocker.stop()
        // A program that another test starts may hold a copy of the blocker's socket for a moment.
        let isOpened = await eventually { await servers.set(checks(port: 31_803, ready: 1)) == [] }
        #expect(isOpened)
        #expect(try await get(31_803).contains("\"localEndpoints\": 1"))
        await servers.stop()
    }
}
