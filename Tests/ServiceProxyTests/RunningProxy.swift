import ClusterModel
import ClusterStore
import KiadaTesting
import Logging
import NetTypes
import ServiceProxy
import Synchronization

/// A service proxy in this process, with addresses of its own and no manifests.
final class RunningProxy: Sendable {
    private static let nextBlock = Mutex<UInt8>(160)

    let proxy: ServiceProxy
    let configuration: ServiceProxyConfiguration
    var store: Store { proxy.store }
    var node: String { configuration.nodeAddress.description }

    private init(_ adjust: (inout ServiceProxyConfiguration) -> Void) throws {
        let block = Self.nextBlock.withLock { block in
            block += 1
            return block
        }
        var configuration = ServiceProxyConfiguration(nodeName: "node-1", manifests: nil)
        configuration.use(block: block)
        configuration.publishAddress = nil
        configuration.dnsPort = 5353
        configuration.dataPlane = .userspace
        adjust(&configuration)
        self.configuration = configuration
        proxy = try ServiceProxy(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Runs `body` with a proxy that has come to rest.
    static func with(
        _ adjust: (inout ServiceProxyConfiguration) -> Void = { _ in }, _ body: (RunningProxy) async throws -> Void
    ) async throws {
        let running = try RunningProxy(adjust)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await running.proxy.run() }
            await running.settle()
            do { try await body(running) } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
        }
    }

    /// Waits until all that follows from the store is done.
    func settle() async { _ = await eventually { proxy.isSettled } }

    func curl(_ path: String, _ more: String..., port: UInt16 = 10256) async throws -> String {
        try await ChildProcess.run(
            "curl", ["-sS", "--max-time", "5", "http://\(node):\(port)\(path)"] + more
        ).output
    }

    /// The status code of a GET.
    func status(_ path: String, port: UInt16 = 10256) async throws -> String {
        try await curl(path, "-o", "/dev/null", "-w", "%{http_code}", port: port)
    }

    /// A LoadBalancer Service for endpoints of this node only, without a selector.
    func createLocalService(_ name: String, healthCheckNodePort: UInt16) throws {
        if store.get(ObjectKey(.namespaces, name: "kiada")) == nil {
            _ = try store.create(KubeObject(.namespaces, name: "kiada"))
        }
        var service = KubeObject(.services, namespace: "kiada", name: name)
        service.json["spec"] = [
            "type": "LoadBalancer", "externalTrafficPolicy": "Local",
            "healthCheckNodePort": JSONValue(Int(healthCheckNodePort)), "ports": [["port": 80]],
        ]
        _ = try store.create(service)
    }

    /// Says where the Service's endpoints are, one on each of `nodes`.
    func setEndpoints(of name: String, on nodes: [String]) throws {
        var slice = KubeObject(.endpointslices, namespace: "kiada", name: "\(name)-1")
        slice.labels = [EndpointSlice.serviceNameLabel: name]
        slice.json["addressType"] = "IPv4"
        slice.json["ports"] = [["port": 8080, "protocol": "TCP"]]
        slice.json["endpoints"] = .array(
            nodes.enumerated().map { number, node in
                [
                    "addresses": [.string("192.0.2.\(number + 1)")], "nodeName": .string(node),
                    "conditions": ["ready": true],
                ]
            })
        if store.get(slice.key) == nil { _ = try store.create(slice) } else { _ = try store.update(slice) }
    }
}
