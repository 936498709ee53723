import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// The endpoints that every service has.
///
/// | path | answer |
/// |---|---|
/// | `/healthz/ready` | 200 with the service's word for it; 500 `ERROR: ...` if a check fails, 503 while it stops |
/// | `/ready` | the same, where Envoy has it |
/// | `/healthz/live` | 200 `OK` as long as the program answers at all |
/// | `/version` | program and version in JSON |
/// | `/metrics` | Prometheus text format 0.0.4 |
package struct StandardEndpoints: Sendable {
    package let program: String
    /// The body of a successful readiness check.
    package let readyText: String
    package let readiness: Readiness
    package let check: ReadinessCheck
    package let metrics: ServiceMetrics

    package init(
        program: String, readyText: String, readiness: Readiness, metrics: ServiceMetrics,
        check: @escaping ReadinessCheck = {}
    ) {
        self.program = program
        self.readyText = readyText
        self.readiness = readiness
        self.metrics = metrics
        self.check = check
    }

    package func add(to router: ServiceRouter) {
        for path in ["/healthz/ready", "/ready"] as [RouterPath] {
            router.resource(path, get: { _, _ in await ready() })
        }
        router.resource("/healthz/live", get: { _, _ in .text("OK") })
        let version = ["program": program, "version": SuiteVersion.text]
        router.resource("/version", get: { _, _ in try .json(encoding: version) })
        router.resource(
            "/metrics",
            get: { _, _ in
                var response = Response.text(metrics.text())
                response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
                return response
            })
    }

    private func ready() async -> Response {
        if readiness.isDraining { return .text("ERROR: shutting down", status: .serviceUnavailable) }
        do {
            try await check()
            return .text(readyText)
        } catch {
            return .text("ERROR: \(error)", status: .internalServerError)
        }
    }
}
