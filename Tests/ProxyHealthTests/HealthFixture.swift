import KiadaTesting
import NetTypes
import ProxyHealth
import ServiceRouting
import Synchronization

/// A proxy's status whose clock and node the test moves.
final class HealthFixture: Sendable {
    /// 2026-11-24T15:04:05.5Z, in nanoseconds.
    let time = Mutex<Int64>(1_795_532_645_500_000_000)
    let isNodeEligible = Mutex(true)
    let counters = Mutex<[EndpointCounters]>([])

    func status(plane: String = "userspace", other: String = "") -> ProxyStatus {
        ProxyStatus(
            ProxyStatus.Sources(
                planeName: { plane }, counters: { [self] in counters.withLock { $0 } },
                isNodeEligible: { [self] in isNodeEligible.withLock { $0 } }, otherMetrics: { other }),
            now: { [self] in time.withLock { $0 } })
    }

    static let loopback = SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 0)

    /// Runs `body` with a server that answers from `status`.
    static func withServer(
        _ status: ProxyStatus, at endpoint: SocketEndpoint = loopback, _ body: (SocketEndpoint) async throws -> Void
    ) async throws {
        let server = try await HealthServer.start(at: endpoint, hostNames: ["node-1"]) { await status.reply(to: $0) }
        do { try await body(server.endpoint) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// What curl prints for a URL.
    static func curl(_ arguments: String...) async throws -> String {
        try await ChildProcess.run("curl", ["-sS", "--max-time", "10"] + arguments).output
    }
}
