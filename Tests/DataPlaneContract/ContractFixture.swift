#if os(Linux)
import Glibc
package import NetTypes
package import ServiceRouting

/// Helpers of the contract tests: frontends and routes.
///
/// Address plan: frontends on 127.201.9.1, endpoints on 127.201.1.1, or ::1 for both. Nobody else uses the block.
package enum PlaneUnderTest {
    package static let host = IPAddress.v4(IPv4Address(bits: 0x7FC9_0901))
    package static let endpointHost = IPAddress.v4(IPv4Address(bits: 0x7FC9_0101))
    package static let host6 = IPAddress.v6(IPv6Address(high: 0, low: 1))

    /// Runs `body` with a plane of its own, which is stopped afterwards whatever happens.
    package static func run(
        _ plane: any DataPlane, _ body: (any DataPlane) async throws -> Void
    ) async throws {
        do { try await body(plane) } catch {
            await plane.stop()
            throw error
        }
        await plane.stop()
    }

    /// A frontend on a port that is free now.
    package static func freeFrontend(_ proto: TransportProtocol = .tcp, on host: IPAddress = host) -> Frontend {
        let probe = TestSocket(proto == .tcp ? SOCK_STREAM : SOCK_DGRAM, host.family)
        _ = probe.bind(to: SocketEndpoint(address: host, port: 0))
        return Frontend(SocketEndpoint(address: host, port: probe.localPort), proto)
    }

    package static func route(
        _ frontend: Frontend, _ endpoints: [SocketEndpoint], kind: FrontendKind = .clusterIP,
        affinity: Duration? = nil, sources: [CIDR]? = nil, serving: [SocketEndpoint]? = nil
    ) -> FrontendRoute {
        let list = EndpointList(endpoints.map { RoutedEndpoint(address: $0) })
        return FrontendRoute(
            frontend: frontend, kind: kind,
            port: ServicePortID(
                service: ServiceID(namespace: "kiada", name: "quote"), portName: "", proto: frontend.proto),
            outside: list.isEmpty ? .reject : .forward(list), affinity: affinity, allowedSources: sources,
            serving: serving)
    }

    package static func diff(_ changed: [FrontendRoute], removed: [Frontend] = []) -> RoutingDiff {
        var diff = RoutingDiff()
        diff.changed = changed
        diff.removed = removed
        return diff
    }

    /// What a new connection is told until it ends; nil when it is refused or fails.
    package static func answer(_ frontend: Frontend) -> String? {
        let client = TestSocket(SOCK_STREAM, frontend.address.address.family)
        guard client.connect(to: frontend.address) == 0, let all = client.readAll() else { return nil }
        return String(decoding: all, as: UTF8.self)
    }
}
#endif
