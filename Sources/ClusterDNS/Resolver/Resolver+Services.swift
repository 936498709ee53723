import DNSWire
import NetTypes

extension Resolver {
    func service(_ service: ServiceNames, _ key: ServiceKey, _ question: Question) -> Finding? {
        switch service.kind {
        case .external(let target): return target.map(Finding.external)
        case .cluster(let addresses):
            return answer(question, addresses: addresses) { locations(service.ports, addresses, key) }
        case .headless:
            guard !service.endpoints.isEmpty else { return nil }
            return answer(question, endpoints: service.endpoints, key)
        }
    }

    /// Endpoints of that name: several may share a host name (6.2).
    func endpoint(_ label: String, _ service: ServiceNames, _ key: ServiceKey, _ question: Question) -> Finding? {
        if case .external = service.kind { return nil }
        let endpoints = service.endpoints.filter { $0.label == label }
        return endpoints.isEmpty ? nil : answer(question, endpoints: endpoints, key)
    }

    /// `_port._proto`: only named ports have such a name.
    func port(
        _ port: String, _ proto: String, _ service: ServiceNames, _ key: ServiceKey, _ question: Question
    ) -> Finding? {
        func isMeant(_ other: ServiceNames.Port) -> Bool { other.name == port && other.proto == proto && !port.isEmpty }
        switch service.kind {
        case .external: return nil
        case .cluster(let addresses):
            let ports = service.ports.filter(isMeant)
            guard !ports.isEmpty else { return nil }
            return answer(question, addresses: addresses) { locations(ports, addresses, key) }
        case .headless:
            var endpoints = service.endpoints
            for index in endpoints.indices { endpoints[index].ports.removeAll { !isMeant($0) } }
            endpoints.removeAll { $0.ports.isEmpty }
            return endpoints.isEmpty ? nil : answer(question, endpoints: endpoints, key)
        }
    }

    private func answer(_ question: Question, endpoints: [ServiceNames.Endpoint], _ key: ServiceKey) -> Finding {
        answer(question, addresses: endpoints.map(\.address)) { locations(endpoints, key) }
    }

    private typealias Locations = (locations: [ServiceLocation], addresses: [(Name, IPAddress)])

    private func answer(_ question: Question, addresses: [IPAddress], locations: () -> Locations) -> Finding {
        guard question.type == .srv else { return .found(records(addresses, for: question), additionals: []) }
        let (locations, targets) = locations()
        return .found(
            locations.map { record(question.name, .srv($0)) },
            additionals: targets.map { record($0.0, Self.data($0.1)) })
    }

    /// One location per port of a Service with cluster IPs; the weight counts ports and addresses (6.4).
    private func locations(_ ports: [ServiceNames.Port], _ addresses: [IPAddress], _ key: ServiceKey) -> Locations {
        guard let target = name(of: key), !addresses.isEmpty, !ports.isEmpty else { return ([], []) }
        let weight = Self.weight(ports.count * addresses.count)
        let locations = ports.map { ServiceLocation(priority: 0, weight: weight, port: $0.number, target: target) }
        return (locations, addresses.map { (target, $0) })
    }

    /// One location per port of each endpoint (6.4).
    private func locations(_ endpoints: [ServiceNames.Endpoint], _ key: ServiceKey) -> Locations {
        guard let service = name(of: key) else { return ([], []) }
        let weight = Self.weight(endpoints.reduce(0) { $0 + $1.ports.count })
        var result: Locations = ([], [])
        var seen: Set<ServiceLocation> = []
        for endpoint in endpoints where !endpoint.ports.isEmpty {
            guard let target = service.prepending(endpoint.label) else { continue }
            for port in endpoint.ports {
                let location = ServiceLocation(priority: 0, weight: weight, port: port.number, target: target)
                if seen.insert(location).inserted { result.locations.append(location) }
            }
            result.addresses.append((target, endpoint.address))
        }
        return result
    }

    private static func weight(_ count: Int) -> UInt16 { UInt16(max(1, 100 / max(1, count))) }

    /// The chain of aliases from `question` on, as far as it stays in the cluster (6.5).
    func alias(_ question: Question, to first: Name) -> Resolution {
        switch question.type {
        case .cname: return .answer(Answer(answers: [record(question.name, .cname(first))]))
        case .a, .aaaa: break
        default: return .answer(negative(.noError))
        }
        var chain = [record(question.name, .cname(first))]
        var target = first
        var seen: Set<Name> = [question.name, first]
        for _ in 0..<Self.aliasLimit {
            guard target.isWithin(zone.settings.domain) else { return .external(chain, target: target) }
            switch finding(Question(target, question.type)) {
            case .some(.external(let next)):
                guard seen.insert(next).inserted else { return .answer(negative(.noError)) }
                chain.append(record(target, .cname(next)))
                target = next
            case .some(.found(let records, _)) where !records.isEmpty:
                return .answer(Answer(answers: chain + records))
            case .some(.found), .none: return .answer(negative(.noError))
            }
        }
        return .answer(negative(.noError))
    }
}
