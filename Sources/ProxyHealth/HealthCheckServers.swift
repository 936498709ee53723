package import NetTypes
package import ServiceRouting
import Synchronization

/// The servers on healthCheckNodePorts: they tell a load balancer whether this node has endpoints of a Service (7.13).
///
/// ``set(_:)`` is to be called by one task at a time.
package actor HealthCheckServers {
    /// A server that could not be started.
    package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        package let service: ServiceID
        package let port: UInt16
        package let description: String
    }

    /// A server that listens, and for what.
    private struct Running {
        var port: UInt16
        var servers: [HealthServer]
    }

    private let addresses: [IPAddress]
    private let isProxyHealthy: @Sendable () -> Bool
    private var running: [ServiceID: Running] = [:]
    /// Ready endpoints on this node.
    private let counts = EndpointCounts()

    /// - Parameters:
    ///   - addresses: where each server listens.
    ///   - isProxyHealthy: asked for each answer.
    package init(addresses: [IPAddress], isProxyHealthy: @escaping @Sendable () -> Bool) {
        self.addresses = addresses
        self.isProxyHealthy = isProxyHealthy
    }

    /// Opens and closes servers as `checks` say; those that could not be opened before are tried again.
    ///
    /// - Returns: which cannot be opened, and why.
    package func set(_ checks: [ServiceID: HealthCheck]) async -> [Problem] {
        counts.set(checks.mapValues(\.localEndpoints))
        for (service, old) in running where checks[service]?.port != old.port {
            running[service] = nil
            for server in old.servers { await server.stop() }
        }
        var problems: [Problem] = []
        for (service, check) in checks.sorted(by: { $0.key < $1.key }) where running[service] == nil {
            do {
                running[service] = try await open(service, port: check.port)
            } catch {
                problems.append(
                    Problem(
                        service: service, port: check.port,
                        description: "the health check of \(service) cannot listen on port \(check.port): \(error)"))
            }
        }
        return problems
    }

    /// Closes all.
    package func stop() async { _ = await set([:]) }

    private func open(_ service: ServiceID, port: UInt16) async throws -> Running {
        var result = Running(port: port, servers: [])
        do {
            for address in addresses {
                let server = try await HealthServer.start(
                    at: SocketEndpoint(address: address, port: port), hostNames: nil
                ) { [counts, isProxyHealthy] _ in
                    Self.reply(service, counts[service], isProxyHealthy: isProxyHealthy())
                }
                result.servers.append(server)
            }
        } catch {
            for server in result.servers { await server.stop() }
            throw error
        }
        return result
    }

    /// The answer to any path.
    static func reply(_ service: ServiceID, _ localEndpoints: Int, isProxyHealthy: Bool) -> HealthReply {
        let body = """
            {
            \t"service": {
            \t\t"namespace": "\(service.namespace)",
            \t\t"name": "\(service.name)"
            \t},
            \t"localEndpoints": \(localEndpoints),
            \t"serviceProxyHealthy": \(isProxyHealthy)
            }
            """
        return .json(
            body, status: localEndpoints > 0 && isProxyHealthy ? 200 : 503,
            headers: [HealthReply.Header("X-Load-Balancing-Endpoint-Weight", "\(localEndpoints)")])
    }
}

/// Ready endpoints on this node, by Service.
private final class EndpointCounts: Sendable {
    private let counts = Mutex<[ServiceID: Int]>([:])

    func set(_ new: [ServiceID: Int]) { counts.withLock { $0 = new } }

    subscript(service: ServiceID) -> Int { counts.withLock { $0[service] ?? 0 } }
}
