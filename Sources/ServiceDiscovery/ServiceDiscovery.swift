import DNSWire
package import NIOPosix
import NetTypes

/// Finds a Service by explicit URL, else by `*_SERVICE_HOST` and `*_SERVICE_PORT` variables, else by DNS.
///
/// An explicit URL is final: when its host cannot be found nothing else is tried. Several requests may resolve at the same
/// time; what DNS said is kept as long as its TTL says.
package final class ServiceDiscovery: Sendable {
    private let name: String
    private let explicitURL: String?
    private let environment: [String: String]
    private let settings: DNSSettings
    private let resolver: StubResolver
    private let resolvConf: SettingsFile<ResolverConfiguration>
    private let hosts: SettingsFile<HostsFile>
    private let now: @Sendable () -> ContinuousClock.Instant

    /// Makes the discovery of the Service `name` (`quiz`), which is also its name in DNS.
    ///
    /// An explicit URL is looked at in ``resolve(limit:)``; check it with ``ServiceURL`` first to refuse a bad one at once.
    /// An empty one counts as none. `dns` is read from `environment` when nil; `now` is the clock of limits and TTLs.
    package init(
        name: String, explicitURL: String?, environment: [String: String], dns: DNSSettings? = nil,
        group: MultiThreadedEventLoopGroup = .singleton,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        let settings = dns ?? DNSSettings(environment: environment)
        self.name = name
        self.explicitURL = explicitURL?.isEmpty == true ? nil : explicitURL
        self.environment = environment
        self.settings = settings
        self.now = now
        resolver = StubResolver(group: group, cacheLimit: settings.cacheLimit, now: now)
        resolvConf = SettingsFile(path: settings.resolvConfPath) { text in
            var configuration = ResolverConfiguration(parsing: text, port: settings.port)
            configuration.timeout = min(configuration.timeout, settings.timeoutLimit)
            return configuration
        }
        hosts = SettingsFile(path: settings.hostsPath) { HostsFile(parsing: $0) }
    }

    /// Where the Service is now, found in at most `limit`; the error says what was tried.
    package func resolve(limit: Duration) async throws(DiscoveryError) -> DiscoveredService {
        let deadline = now() + limit
        if let explicitURL { return try await byURL(explicitURL, deadline: deadline) }
        let attempt: DiscoveryAttempt
        switch ServiceVariables.read(name, environment: environment) {
        case .found(let endpoint):
            return DiscoveredService(
                method: .variables, scheme: "http",
                host: ServiceURL.authority(host: "\(endpoint.address)", port: endpoint.port, scheme: "http"),
                basePath: "", addresses: [endpoint],
                attempts: [DiscoveryAttempt(method: .variables, detail: "found \(endpoint)")])
        case .unusable(let reason): attempt = DiscoveryAttempt(method: .variables, detail: reason)
        }
        return try await byDNS(deadline: deadline, before: attempt)
    }

    private func byURL(
        _ text: String, deadline: ContinuousClock.Instant
    ) async throws(DiscoveryError) -> DiscoveredService {
        let url: ServiceURL
        let addresses: [IPAddress]
        do {
            url = try ServiceURL(text)
            if let address = IPAddress(url.host) {
                addresses = [address]
            } else {
                addresses = try await hostResolver.addresses(of: url.host, deadline: deadline).addresses
            }
        } catch {
            throw DiscoveryError(service: name, attempts: [DiscoveryAttempt(method: .url, detail: "\(error)")])
        }
        let endpoints = addresses.map { SocketEndpoint(address: $0, port: url.port) }
        return DiscoveredService(
            method: .url, scheme: url.scheme, host: url.authority, basePath: url.path, addresses: endpoints,
            attempts: [DiscoveryAttempt(method: .url, detail: "found \(Self.list(endpoints)) for \(url)")])
    }

    private func byDNS(
        deadline: ContinuousClock.Instant, before: DiscoveryAttempt
    ) async throws(DiscoveryError) -> DiscoveredService {
        let resolver = hostResolver
        let host: HostResolver.Host
        do throws(HostResolver.HostError) {
            host = try await resolver.addresses(of: name, deadline: deadline)
        } catch {
            let attempt = DiscoveryAttempt(method: .dns, detail: "\(error)")
            throw DiscoveryError(service: name, attempts: [before, attempt])
        }
        var port: UInt16 = 80
        var source = "no SRV record, so port 80"
        if let owner = host.name, let found = await resolver.port(of: "_http._tcp", at: owner, deadline: deadline) {
            port = found
            source = "port from SRV"
        }
        let endpoints = host.addresses.map { SocketEndpoint(address: $0, port: port) }
        let origin = host.name.map { "\($0)" } ?? "the hosts file"
        let detail = "found \(Self.list(endpoints)) by \(origin) (\(source))"
        return DiscoveredService(
            method: .dns, scheme: "http", host: ServiceURL.authority(host: name, port: port, scheme: "http"),
            basePath: "", addresses: endpoints, attempts: [before, DiscoveryAttempt(method: .dns, detail: detail)])
    }

    private var hostResolver: HostResolver {
        HostResolver(resolver: resolver, configuration: resolvConf.content, hosts: hosts.content)
    }

    private static func list(_ endpoints: [SocketEndpoint]) -> String {
        endpoints.map(\.description).joined(separator: ", ")
    }
}
