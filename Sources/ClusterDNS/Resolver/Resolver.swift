package import DNSWire
import NetTypes

/// Answers questions from a snapshot of the zone: a function of the two and of nothing else (rules 6.1-6.9).
package struct Resolver: Sendable {
    /// Aliases inside the cluster that are followed at most (6.5).
    static let aliasLimit = 10
    /// Seconds that the version of the specification may be kept (6.2).
    static let versionTTL: UInt32 = 28800

    let zone: Zone

    package init(_ zone: Zone) { self.zone = zone }

    /// What the zone says about `question`.
    package func resolve(_ question: Question) -> Resolution {
        guard question.recordClass == .internet, question.type != .axfr, question.type != .ixfr else {
            return .answer(.bare(.refused))
        }
        let shape = ClusterName(question.name, domain: zone.settings.domain)
        if shape == .outside { return .outside }
        guard zone.isSynced else {
            if case .reverse = shape, question.type != .ptr { return .outside }
            return .answer(Answer(code: .serverFailure, authorities: [startOfAuthority()]))
        }
        if case .reverse(let address) = shape { return reverse(address, question) }
        switch find(shape, question: question) {
        case .none: return .answer(negative(.nameError))
        case .some(.external(let target)): return alias(question, to: target)
        case .some(.found(let records, let additionals)):
            return .answer(
                records.isEmpty ? negative(.noError) : Answer(answers: records, additionals: additionals))
        }
    }

    /// What stands at a name that exists.
    enum Finding {
        /// No records: the name has none of that type.
        case found([ResourceRecord], additionals: [ResourceRecord])
        case external(Name)

        static let noData = Finding.found([], additionals: [])
    }

    /// What stands at a name inside the zone; nil when it does not exist.
    func finding(_ question: Question) -> Finding? {
        find(ClusterName(question.name, domain: zone.settings.domain), question: question)
    }

    /// nil when the name does not exist.
    private func find(_ shape: ClusterName, question: Question) -> Finding? {
        switch shape {
        case .apex: return apex(question)
        case .version:
            let version = RecordData.txt([Array("1.1.0".utf8)])
            return question.type == .txt
                ? .found([ResourceRecord(question.name, ttl: Self.versionTTL, version)], additionals: []) : .noData
        case .nameServer:
            let addresses = dnsServiceAddresses
            return addresses.isEmpty ? nil : .found(records(addresses, for: question), additionals: [])
        case .container(let namespace, let isPod):
            if isPod, zone.settings.podRecords == .disabled, namespace != nil { return nil }
            return namespace.map(zone.namespaces.contains) ?? true ? .noData : nil
        case .pod(let label, let namespace): return pod(label, namespace, question)
        case .service(let key): return existing(key).flatMap { service($0, key, question) }
        case .endpoint(let label, let key): return existing(key).flatMap { endpoint(label, $0, key, question) }
        case .port(let port, let proto, let key):
            return existing(key).flatMap { self.port(port, proto, $0, key, question) }
        case .reverse, .impossible, .outside: return nil
        }
    }

    private func existing(_ key: ServiceKey) -> ServiceNames? {
        zone.namespaces.contains(key.namespace) ? zone.service(key) : nil
    }

    private func apex(_ question: Question) -> Finding {
        switch question.type {
        case .soa: return .found([startOfAuthority(owner: question.name)], additionals: [])
        case .ns:
            let key = zone.settings.dnsService
            let serviceName = existing(key) == nil ? nil : name(of: key)
            guard let target = serviceName ?? fixedName("ns.dns") else { return .noData }
            return .found(
                [record(question.name, .ns(target))],
                additionals: dnsServiceAddresses.map { record(target, Self.data($0)) })
        default: return .noData
        }
    }

    private func pod(_ label: String, _ namespace: String, _ question: Question) -> Finding? {
        guard zone.settings.podRecords != .disabled, zone.namespaces.contains(namespace),
            let address = Self.podAddress(label)
        else { return nil }
        if zone.settings.podRecords == .verified, !zone.hasEndpoint(at: address, in: namespace) { return nil }
        return .found(records([address], for: question), additionals: [])
    }

    /// Exactly 3 dashes and no two in a row are IPv4, else dashes stand for colons (6.7).
    static func podAddress(_ label: String) -> IPAddress? {
        let isFour = label.utf8.count { $0 == UInt8(ascii: "-") } == 3 && !label.contains("--")
        return IPAddress(String(label.map { $0 == "-" ? (isFour ? "." : ":") : $0 }))
    }

    /// PTR records of an address; what is not one of ours, and other types, are the upstream's (6.6).
    private func reverse(_ address: IPAddress, _ question: Question) -> Resolution {
        guard question.type == .ptr else { return .outside }
        if let key = zone.service(withClusterIP: address), let target = name(of: key) {
            return .answer(Answer(answers: [record(question.name, .ptr(target))]))
        }
        var targets: [Name] = []
        for key in zone.services(withEndpoint: address) {
            for endpoint in zone.service(key)?.endpoints ?? [] where endpoint.address == address {
                guard let target = name(of: key)?.prepending(endpoint.label), !targets.contains(target) else {
                    continue
                }
                targets.append(target)
            }
        }
        guard !targets.isEmpty else { return .outside }
        return .answer(Answer(answers: targets.map { record(question.name, .ptr($0)) }))
    }
}
