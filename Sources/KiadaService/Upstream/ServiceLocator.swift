package import ServiceDiscovery

/// Finds a dependency; `ServiceDiscovery` does, and tests have their own.
package protocol ServiceLocator: Sendable {
    /// Where the Service is at all times, if that is known without a search.
    var settled: DiscoveredService? { get }

    /// Where the Service is now, found in at most `limit`.
    func resolve(limit: Duration) async throws(DiscoveryError) -> DiscoveredService
}

extension ServiceLocator {
    package var settled: DiscoveredService? { nil }
}

extension ServiceDiscovery: ServiceLocator {}

extension DiscoveredService {
    /// `resource`, which begins with a slash, below the path of the explicit URL.
    package func path(_ resource: String) -> String { basePath + resource }

    var isSecure: Bool { scheme == "https" }

    /// `host` without the port: the name that the certificate has to have.
    var hostName: String { (try? ServiceURL("\(scheme)://\(host)"))?.host ?? host }
}
