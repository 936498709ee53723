import DNSClient
package import DNSWire
package import NetTypes

/// Finds the addresses of a host name as a program in a pod would: hosts file, then DNS along the search list.
package struct HostResolver: Sendable {
    package struct Host: Hashable, Sendable {
        /// The name that had the addresses, fully qualified; nil for one from the hosts file.
        package var name: Name?
        /// IPv4 first, without duplicates; never empty.
        package var addresses: [IPAddress]
    }

    package struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String
    }

    private let resolver: StubResolver
    private let configuration: ResolverConfiguration
    private let hosts: HostsFile

    package init(resolver: StubResolver, configuration: ResolverConfiguration, hosts: HostsFile) {
        self.resolver = resolver
        self.configuration = configuration
        self.hosts = hosts
    }

    /// Addresses of `name`, not later than `deadline`.
    ///
    /// Candidates are tried one after the other, A and AAAA of each at the same time. As in glibc the walk goes on after
    /// a name without addresses and after a failing server, and ends when no server answers at all. The error says what each
    /// candidate led to.
    package func addresses(of name: String, deadline: ContinuousClock.Instant) async throws(HostError) -> Host {
        let known = hosts.addresses(of: name)
        if !known.isEmpty { return Host(name: nil, addresses: known) }
        let candidates = SearchWalk.candidates(for: name, search: configuration.search, ndots: configuration.ndots)
        guard !candidates.isEmpty else { throw HostError(description: "'\(name)' is not a host name") }
        var tried: [String] = []
        for candidate in candidates {
            async let four = result(Question(candidate, .a), deadline)
            async let six = result(Question(candidate, .aaaa), deadline)
            let results = await [four, six]
            let addresses = results.flatMap(Self.addresses)
            if !addresses.isEmpty {
                var seen: Set<IPAddress> = []
                return Host(name: candidate, addresses: addresses.filter { seen.insert($0).inserted })
            }
            tried.append(Self.outcome(results, of: candidate))
            let isOutOfTime = results.contains { if case .failure(let error) = $0 { error.isOutOfTime } else { false } }
            if isOutOfTime { break }
        }
        throw HostError(description: tried.joined(separator: "; "))
    }

    /// The port of `service` (`_http._tcp`) at `name`: that of the SRV record with the lowest priority; nil when there is
    /// none or nobody answers.
    package func port(of service: String, at name: Name, deadline: ContinuousClock.Instant) async -> UInt16? {
        guard let prefix = Name(service), let owner = prefix.appending(name),
            case .success(.records(let records)) = await result(Question(owner, .srv), deadline)
        else { return nil }
        let locations = records.compactMap { if case .srv(let location) = $0.data { location } else { nil } }
        return locations.min { ($0.priority, $0.port) < ($1.priority, $1.port) }?.port
    }

    private func result(_ question: Question, _ deadline: ContinuousClock.Instant) async -> Result<Lookup, LookupError>
    {
        do throws(LookupError) {
            return .success(
                try await resolver.lookup(question, configuration: configuration, deadline: deadline))
        } catch {
            return .failure(error)
        }
    }

    private static func addresses(_ result: Result<Lookup, LookupError>) -> [IPAddress] {
        guard case .success(.records(let records)) = result else { return [] }
        return records.compactMap {
            switch $0.data {
            case .a(let address): .v4(address)
            case .aaaa(let address): .v6(address)
            case .cname, .ns, .ptr, .soa, .srv, .txt, .unknown: nil
            }
        }
    }

    private static func outcome(_ results: [Result<Lookup, LookupError>], of name: Name) -> String {
        for case .failure(let error) in results { return "\(error)" }
        let exists = results.contains { $0 == .success(.noData) }
        return exists ? "\(name) has no address" : "\(name) does not exist"
    }
}
