import DNSWire
import NetTypes

extension Resolver {
    func record(_ owner: Name, _ data: RecordData) -> ResourceRecord {
        ResourceRecord(owner, ttl: zone.settings.ttl, data)
    }

    static func data(_ address: IPAddress) -> RecordData {
        switch address {
        case .v4(let address): .a(address)
        case .v6(let address): .aaaa(address)
        }
    }

    /// Records of the addresses of the family asked for, each once; none for other types.
    func records(_ addresses: [IPAddress], for question: Question) -> [ResourceRecord] {
        let family: IPFamily
        switch question.type {
        case .a: family = .v4
        case .aaaa: family = .v6
        default: return []
        }
        var seen: Set<IPAddress> = []
        return addresses.filter { $0.family == family && seen.insert($0).inserted }.map {
            record(question.name, Self.data($0))
        }
    }

    /// `S.N.svc.Z`.
    func name(of key: ServiceKey) -> Name? {
        zone.settings.domain.prepending("svc")?.prepending(key.namespace)?.prepending(key.name)
    }

    /// A name right below Z, such as `ns.dns`.
    func fixedName(_ text: String) -> Name? { Name(text)?.appending(zone.settings.domain) }

    /// Cluster IPs of the Service of this server; none while it has no such Service.
    var dnsServiceAddresses: [IPAddress] {
        guard case .cluster(let addresses) = zone.service(zone.settings.dnsService)?.kind else { return [] }
        return addresses
    }

    /// "No such name" or "no such type", with the SOA record that says how long this may be kept.
    func negative(_ code: ResponseCode) -> Answer { Answer(code: code, authorities: [startOfAuthority()]) }

    /// The SOA record; its numbers are those of rule 6.8.
    func startOfAuthority(owner: Name? = nil) -> ResourceRecord {
        let domain = zone.settings.domain
        let soa = StartOfAuthority(
            primary: fixedName("ns.dns") ?? domain, mailbox: fixedName("hostmaster") ?? domain, serial: zone.serial,
            refresh: 7200, retry: 1800, expire: 86400, minimum: zone.settings.ttl)
        return ResourceRecord(owner ?? domain, ttl: min(zone.settings.ttl, 300), .soa(soa))
    }
}
