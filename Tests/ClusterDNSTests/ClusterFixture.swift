import ClusterDNS
import ClusterModel
import DNSWire
import NetTypes
import Testing

/// The cluster that the tests ask about.
///
///     kiada   quote           ClusterIP 10.96.74.151, http 80; pods 10.244.1.5 and .6 (http 8080), .7 not ready
///     kiada   quiz            ClusterIP 10.96.0.20, unnamed port 80; no endpoints
///     kiada   dual            ClusterIP 10.96.0.30 and fd00::30, http 80
///     kiada   quote-headless  pods 10.244.1.5 (host quote1), .6 and fd00::5, port http 8080
///     kiada   empty-headless  no ready pod
///     kiada   time-api        ExternalName worldtimeapi.org; others: see below
///     kube-system kube-dns    10.96.0.10, dns 53/UDP, dns-tcp 53/TCP, metrics 9153/TCP
struct ClusterFixture {
    var zone: Zone

    init(_ settings: ZoneSettings = ZoneSettings()) {
        zone = Zone(settings: settings)
        for name in ["kiada", "kube-system", "default"] { add(KubeObject(.namespaces, name: name)) }
        add(Self.service("quote", ips: ["10.96.74.151"], ports: [("http", "TCP", 80)]))
        add(
            Self.slice(
                "quote", "q1", [("http", 8080)],
                [("10.244.1.5", true, nil), ("10.244.1.6", true, nil), ("10.244.1.7", false, nil)]))
        add(Self.service("quiz", ips: ["10.96.0.20"], ports: [("", "TCP", 80)]))
        add(Self.service("dual", ips: ["10.96.0.30", "fd00::30"], ports: [("http", "TCP", 80)]))
        add(Self.service("quote-headless", ips: ["None"], ports: [("http", "TCP", 80)]))
        add(
            Self.slice(
                "quote-headless", "h1", [("http", 8080)], [("10.244.1.5", true, "quote1"), ("10.244.1.6", true, nil)]))
        add(Self.slice("quote-headless", "h2", [("http", 8080)], [("fd00::5", true, nil)], family: "IPv6"))
        add(Self.service("empty-headless", ips: ["None"], ports: [("http", "TCP", 80)]))
        add(Self.slice("empty-headless", "e1", [("http", 8080)], [("10.244.9.9", false, nil)]))
        add(Self.service("four-headless", ips: ["None"], ports: []))
        add(Self.slice("four-headless", "f1", [("http", 80)], (1...4).map { ("10.244.2.\($0)", true, nil) }))
        for (name, target) in [
            ("time-api", "worldtimeapi.org"), ("alias", "quote.kiada.svc.cluster.local."), ("address", "1.2.3.4"),
            ("dangling", "gone.kiada.svc.cluster.local"), ("loop-a", "loop-b.kiada.svc.cluster.local"),
            ("loop-b", "loop-a.kiada.svc.cluster.local"), ("twice", "alias.kiada.svc.cluster.local"),
        ] {
            add(Self.external(name, target))
        }
        add(
            Self.service(
                "kube-dns", namespace: "kube-system", ips: ["10.96.0.10"],
                ports: [("dns", "UDP", 53), ("dns-tcp", "TCP", 53), ("metrics", "TCP", 9153)]))
        zone.markSynced()
    }

    mutating func add(_ object: KubeObject) { zone.set(object, isPresent: true, serial: 1_000) }
    mutating func remove(_ object: KubeObject) { zone.set(object, isPresent: false, serial: 2_000) }

    func resolve(_ name: String, _ type: RecordType) throws -> Resolution {
        Resolver(zone).resolve(Question(try #require(Name(name)), type))
    }

    /// The answer in words: the code, then each record's data, sorted; `NODATA` for none.
    func answer(_ name: String, _ type: RecordType) throws -> String {
        let full = name.hasSuffix(".") ? name : (name.isEmpty ? "cluster.local." : name + ".cluster.local.")
        switch try resolve(full, type) {
        case .outside: return "outside"
        case .external(let chain, let target): return "\(Self.words(chain)) -> \(target)"
        case .answer(let answer):
            if answer.code != .noError { return "\(answer.code)" }
            return answer.answers.isEmpty ? "NODATA" : Self.words(answer.answers)
        }
    }

    static func words(_ records: [ResourceRecord]) -> String {
        records.map { words($0.data) }.sorted().joined(separator: " ")
    }

    static func words(_ data: RecordData) -> String {
        switch data {
        case .a(let address): "\(address)"
        case .aaaa(let address): "\(address)"
        case .cname(let name), .ns(let name), .ptr(let name): "\(name)"
        case .soa(let soa): "soa:\(soa.primary)"
        case .srv(let srv): "[\(srv.priority) \(srv.weight) \(srv.port) \(srv.target)]"
        case .txt(let strings): strings.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "|")
        case .unknown(let type, _): "\(type)"
        }
    }

    static func service(
        _ name: String, namespace: String = "kiada", ips: [String], ports: [(String, String, Int)]
    ) -> KubeObject {
        var object = KubeObject(.services, namespace: namespace, name: name)
        object.json["spec"] = [
            "clusterIPs": .array(ips.map { .string($0) }),
            "ports": .array(ports.map { ["name": .string($0.0), "protocol": .string($0.1), "port": JSONValue($0.2)] }),
        ]
        return object
    }

    static func external(_ name: String, _ target: String) -> KubeObject {
        var object = KubeObject(.services, namespace: "kiada", name: name)
        object.json["spec"] = ["type": "ExternalName", "externalName": .string(target)]
        return object
    }

    static func slice(
        _ service: String, _ name: String, _ ports: [(String, Int)], _ endpoints: [(String, Bool, String?)],
        family: String = "IPv4"
    ) -> KubeObject {
        var object = KubeObject(.endpointslices, namespace: "kiada", name: name)
        object.labels = [EndpointSlice.serviceNameLabel: service]
        object.json["addressType"] = .string(family)
        object.json["ports"] = .array(
            ports.map { ["name": .string($0.0), "protocol": "TCP", "port": JSONValue($0.1)] })
        object.json["endpoints"] = .array(
            endpoints.map { address, isReady, hostname in
                var json: JSONValue = ["addresses": [.string(address)], "conditions": ["ready": .bool(isReady)]]
                json["hostname"] = hostname.map(JSONValue.string)
                return json
            })
        return object
    }
}
