import DNSWire
package import NIOPosix
import NetTypes

/// Finds a Service by explicit URL, else by `*_SERVICE_HOST` and `*_SERVICE_PORT` variables, else by DNS.
///
/// An explicit URL is final: when its host cannot be found nothing else is tried. Several requests may resolve at the same
/// time; what DNS said is kept as long as its TTL says.
package final class ServiceDiscovery: Sendable {
    private let name: String
    private let source: Source
    private let settings: DNSSettings
    private let resolver: StubResolver
    private let resolvConf: SettingsFile<ResolverConfiguration>
    private let hosts: SettingsFile<HostsFile>
    private let now: @Sendable () -> ContinuousClock.Instant

    /// What URL and environment say: they stay as they are while the program runs, so it is found out once.
    private enum Source {
        /// Final: no name has to be looked up.
        case settled(DiscoveredService)
        case url(ServiceURL)
        case failed(DiscoveryError)
        case dns(before: DiscoveryAttempt)
    }

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
        source = Self.source(name, explicitURL?.isEmpty == true ? nil : explicitURL, environment)
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

    /// Where the Service is as long as this program runs, if URL or environment say so by an address.
    package var settled: DiscoveredService? {
        if case .settled(let service) = source { service } else { nil }
    }

    /// Where the Service is now, found in at most `limit`; the error says what was tried.
    package func resolve(limit: Duration) async throws(DiscoveryError) -> DiscoveredService {
        switch source {
        case .settled(let service): return service
        case .failed(let error): throw error
        case .url(let url): return try await byURL(url, deadline: now() + limit)
        case .dns(let before): return try await byDNS(deadline: now() + limit, before: before)
        }
    }

    private static func source(_ name: String, _ explicitURL: String?, _ environment: [String: String]) -> Source {
        if let explicitURL {
            do {
                let url = try ServiceURL(explicitURL)
                return IPAddress(url.host).map { .settled(service(url, [$0])) } ?? .url(url)
            } catch {
                return .failed(failure(name, error))
            }
        }
        switch ServiceVariables.read(name, environment: environment) {
        case .found(let endpoint):
            return .settled(
                DiscoveredService(
                    method: .variables, scheme: "http",
                    host: ServiceURL.authority(host: "\(endpoint.address)", port: endpoint.port, scheme: "http"),
                    basePath: "", addresses: [endpoint],
                    attempts: [DiscoveryAttempt(method: .variables, detail: "found \(endpoint)")]))
        case .unusable(let reason):
            return .dns(before: DiscoveryAttempt(method: .variables, detail: reason))
        }
    }

    private func byURL(
        _ url: ServiceURL, deadline: ContinuousClock.Instant
    ) async throws(DiscoveryError) -> DiscoveredService {
        do {
            return Self.service(url, try await hostResolver.addresses(of: url.host, deadline: deadline).addresses)
        } catch {
            throw Self.failure(name, error)
        }
    }

    private static func service(_ url: ServiceURL, _ addresses: [IPAddress]) -> DiscoveredService {
        let endpoints = addresses.map { SocketEndpoint(address: $0, port: url.port) }
        return DiscoveredService(
            method: .url, scheme: url.scheme, host: url.authority, basePath: url.path, addresses: endpoints,
            attempts: [DiscoveryAttempt(method: .url, detail: "found \(list(endpoints)) for \(url)")])
    }

    private static func failure(_ name: String, _ error: any Error) -> DiscoveryError {
        DiscoveryError(service: name, attempts: [DiscoveryAttempt(method: .url, detail: "\(error)")])
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
