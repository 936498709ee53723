#if os(Linux)
import Glibc
import Logging
import NetTypes
import ServiceRouting
import UserspaceProxy

/// Helpers of the contract tests: a plane, its frontends and routes.
///
/// Address plan: frontends on 127.201.9.1, endpoints on 127.201.1.1. Nobody else uses the block.
enum PlaneUnderTest {
    static let host = IPAddress.v4(IPv4Address(bits: 0x7FC9_0901))
    static let endpointHost = IPAddress.v4(IPv4Address(bits: 0x7FC9_0101))

    /// Runs `body` with a plane of its own, which is stopped afterwards whatever happens.
    static func run(
        _ configuration: UserspaceConfiguration = UserspaceConfiguration(),
        _ body: (UserspacePlane) async throws -> Void
    ) async throws {
        let plane = try UserspacePlane(configuration: configuration, logger: Logger(label: "test"))
        do { try await body(plane) } catch {
            await plane.stop()
            throw error
        }
        await plane.stop()
    }

    /// A frontend on a port that is free now.
    static func freeFrontend(_ proto: TransportProtocol = .tcp) -> Frontend {
        let probe = TestSocket(proto == .tcp ? SOCK_STREAM : SOCK_DGRAM)
        _ = probe.bind(to: SocketEndpoint(address: host, port: 0))
        return Frontend(SocketEndpoint(address: host, port: probe.localPort), proto)
    }

    static func route(
        _ frontend: Frontend, _ endpoints: [SocketEndpoint], affinity: Duration? = nil, sources: [CIDR]? = nil,
        serving: [SocketEndpoint]? = nil
    ) -> FrontendRoute {
        let list = EndpointList(endpoints.map { RoutedEndpoint(address: $0) })
        return FrontendRoute(
            frontend: frontend, kind: .clusterIP,
            port: ServicePortID(
                service: ServiceID(namespace: "kiada", name: "quote"), portName: "", proto: frontend.proto),
            outside: list.isEmpty ? .reject : .forward(list), affinity: affinity, allowedSources: sources,
            serving: serving)
    }

    static func diff(_ changed: [FrontendRoute], removed: [Frontend] = []) -> RoutingDiff {
        var diff = RoutingDiff()
        diff.changed = changed
        diff.removed = removed
        return diff
    }

    /// What a new connection is told until it ends; nil when it is refused or fails.
    static func answer(_ frontend: Frontend) -> String? {
        let client = TestSocket(SOCK_STREAM)
        guard client.connect(to: frontend.address) == 0, let all = client.readAll() else { return nil }
        return String(decoding: all, as: UTF8.self)
    }
}
#endif
