import ClusterDNS
import ClusterModel
import DNSWire
import NetTypes
import Testing

/// A question in the fixture's cluster (names are below cluster.local) and what it gets.
struct Row: CustomTestStringConvertible, Sendable {
    var name: String
    var type: RecordType
    var answer: String
    var testDescription: String { "\(name) \(type)" }

    init(_ name: String, _ type: RecordType, _ answer: String) {
        (self.name, self.type, self.answer) = (name, type, answer)
    }
}

@Suite("Names of the cluster")
struct ResolverTests {
    private let cluster = ClusterFixture()

    @Test(
        "6.2 containers of names are NODATA when they exist and NXDOMAIN when not",
        arguments: [
            Row("", .a, "NODATA"), Row("svc", .a, "NODATA"), Row("pod", .a, "NODATA"), Row("kiada.svc", .a, "NODATA"),
            Row("kiada.svc", .txt, "NODATA"), Row("kiada.pod", .a, "NODATA"), Row("nowhere.svc", .a, "NXDOMAIN"),
            Row("nowhere.pod", .a, "NXDOMAIN"), Row("quote.nowhere.svc", .a, "NXDOMAIN"),
            Row("gone.kiada.svc", .a, "NXDOMAIN"),
            Row("other", .a, "NXDOMAIN"), Row("quote.kiada.other", .a, "NXDOMAIN"),
        ])
    func containers(row: Row) throws { #expect(try cluster.answer(row.name, row.type) == row.answer) }

    @Test(
        "6.2 a Service with cluster IPs has these addresses, with or without endpoints; the other family is NODATA",
        arguments: [
            Row("quote.kiada.svc", .a, "10.96.74.151"), Row("quote.kiada.svc", .aaaa, "NODATA"),
            Row("quiz.kiada.svc", .a, "10.96.0.20"), Row("dual.kiada.svc", .a, "10.96.0.30"),
            Row("dual.kiada.svc", .aaaa, "fd00::30"), Row("QuOtE.KIADA.Svc", .a, "10.96.74.151"),
            Row("quote.kiada.svc", .txt, "NODATA"), Row("quote.kiada.svc", .mx, "NODATA"),
            Row("quote.kiada.svc", .https, "NODATA"), Row("gone.kiada.svc", .mx, "NXDOMAIN"),
        ])
    func clusterIPs(row: Row) throws { #expect(try cluster.answer(row.name, row.type) == row.answer) }

    @Test(
        "6.1 there are no wildcards, and more labels than port and protocol are NXDOMAIN",
        arguments: [
            Row("*.kiada.svc", .a, "NXDOMAIN"), Row("any.kiada.svc", .a, "NXDOMAIN"),
            Row("a._http._tcp.quote.kiada.svc", .a, "NXDOMAIN"), Row("a.b.c.pod", .a, "NXDOMAIN"),
        ])
    func noWildcards(row: Row) throws { #expect(try cluster.answer(row.name, row.type) == row.answer) }

    @Test(
        "6.1 6.4 [V] SRV: one per port, the weight shared by ports and addresses; named ports have names of their own",
        arguments: [
            Row("_http._tcp.quote.kiada.svc", .srv, "[0 100 80 quote.kiada.svc.cluster.local.]"),
            Row("http.tcp.quote.kiada.svc", .srv, "[0 100 80 quote.kiada.svc.cluster.local.]"),
            Row("_HTTP._Tcp.quote.kiada.svc", .srv, "[0 100 80 quote.kiada.svc.cluster.local.]"),
            Row("_http._tcp.quote.kiada.svc", .a, "10.96.74.151"), Row("_http._tcp.quote.kiada.svc", .aaaa, "NODATA"),
            Row("_http._udp.quote.kiada.svc", .srv, "NXDOMAIN"), Row("_web._tcp.quote.kiada.svc", .a, "NXDOMAIN"),
            Row("quiz.kiada.svc", .srv, "[0 100 80 quiz.kiada.svc.cluster.local.]"),
            Row("_._tcp.quiz.kiada.svc", .srv, "NXDOMAIN"),
            Row("dual.kiada.svc", .srv, "[0 50 80 dual.kiada.svc.cluster.local.]"),
            Row(
                "kube-dns.kube-system.svc", .srv,
                "[0 33 53 kube-dns.kube-system.svc.cluster.local.] "
                    + "[0 33 53 kube-dns.kube-system.svc.cluster.local.] [0 33 9153 kube-dns.kube-system.svc.cluster.local.]"
            ),
            Row(
                "_http._tcp.four-headless.kiada.svc", .srv,
                (1...4).map {
                    "[0 25 80 10-244-2-\($0).four-headless.kiada.svc.cluster.local.]"
                }.joined(separator: " ")),
        ])
    func srv(row: Row) throws { #expect(try cluster.answer(row.name, row.type) == row.answer) }

    @Test(
        "6.2 6.3 a headless Service is its ready endpoints; without any the name does not exist",
        arguments: [
            Row("quote-headless.kiada.svc", .a, "10.244.1.5 10.244.1.6"),
            Row("quote-headless.kiada.svc", .aaaa, "fd00::5"),
            Row("empty-headless.kiada.svc", .a, "NXDOMAIN"), Row("four-headless.kiada.svc", .aaaa, "NODATA"),
            Row("_http._tcp.quote-headless.kiada.svc", .a, "10.244.1.5 10.244.1.6"),
            Row("_web._tcp.quote-headless.kiada.svc", .a, "NXDOMAIN"),
            Row(
                "_http._tcp.quote-headless.kiada.svc", .srv,
                "[0 33 8080 10-244-1-6.quote-headless.kiada.svc.cluster.local.] "
                    + "[0 33 8080 fd00--5.quote-headless.kiada.svc.cluster.local.] [0 33 8080 quote1.quote-headless.kiada.svc.cluster.local.]"
            ),
        ])
    func headless(row: Row) throws { #expect(try cluster.answer(row.name, row.type) == row.answer) }

    @Test(
        "6.2 6.3 endpoints have names, their host name or their address with dashes, below any Service",
        arguments: [
            Row("quote1.quote-headless.kiada.svc", .a, "10.244.1.5"),
            Row("QUOTE1.quote-headless.kiada.svc", .a, "10.244.1.5"),
            Row("10-244-1-5.quote-headless.kiada.svc", .a, "NXDOMAIN"),
            Row("10-244-1-6.quote-headless.kiada.svc", .a, "10.244.1.6"),
            Row("fd00--5.quote-headless.kiada.svc", .aaaa, "fd00::5"),
            Row("fd00--5.quote-headless.kiada.svc", .a, "NODATA"),
            Row("10-244-1-5.quote.kiada.svc", .a, "10.244.1.5"), Row("10-244-1-7.quote.kiada.svc", .a, "NXDOMAIN"),
            Row("quote2.quote-headless.kiada.svc", .a, "NXDOMAIN"),
            Row("quote1.quote-headless.kiada.svc", .srv, "[0 100 8080 quote1.quote-headless.kiada.svc.cluster.local.]"),
        ])
    func endpoints(row: Row) throws { #expect(try cluster.answer(row.name, row.type) == row.answer) }

    @Test(
        "6.5 an external name is an alias; inside the cluster it is followed, and withheld when it leads nowhere",
        arguments: [
            Row("time-api.kiada.svc", .a, "worldtimeapi.org. -> worldtimeapi.org."),
            Row("time-api.kiada.svc", .cname, "worldtimeapi.org."), Row("time-api.kiada.svc", .srv, "NODATA"),
            Row("time-api.kiada.svc", .txt, "NODATA"), Row("x.time-api.kiada.svc", .a, "NXDOMAIN"),
            Row("_http._tcp.time-api.kiada.svc", .srv, "NXDOMAIN"), Row("address.kiada.svc", .a, "NXDOMAIN"),
            Row("alias.kiada.svc", .a, "10.96.74.151 quote.kiada.svc.cluster.local."),
            Row("alias.kiada.svc", .aaaa, "NODATA"),
            Row("twice.kiada.svc", .a, "10.96.74.151 alias.kiada.svc.cluster.local. quote.kiada.svc.cluster.local."),
            Row("dangling.kiada.svc", .a, "NODATA"), Row("loop-a.kiada.svc", .a, "NODATA"),
        ])
    func external(row: Row) throws { #expect(try cluster.answer(row.name, row.type) == row.answer) }

    @Test(
        "6.6 PTR: a cluster IP is its Service, an endpoint all its names; everything else goes upstream",
        arguments: [
            Row("151.74.96.10.in-addr.arpa.", .ptr, "quote.kiada.svc.cluster.local."),
            Row(
                "5.1.244.10.in-addr.arpa.", .ptr,
                "10-244-1-5.quote.kiada.svc.cluster.local. quote1.quote-headless.kiada.svc.cluster.local."),
            Row("7.1.244.10.in-addr.arpa.", .ptr, "outside"), Row("8.8.8.8.in-addr.arpa.", .ptr, "outside"),
            Row("151.74.96.10.in-addr.arpa.", .a, "outside"), Row("74.96.10.in-addr.arpa.", .ptr, "outside"),
            Row(
                "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.D.F.IP6.arpa.", .ptr,
                "fd00--5.quote-headless.kiada.svc.cluster.local."),
            Row("www.example.org.", .a, "outside"), Row("xcluster.local.", .a, "outside"),
        ])
    func reverse(row: Row) throws { #expect(try cluster.answer(row.name, row.type) == row.answer) }

    @Test(
        "6.7 pod records: insecure echoes, verified looks, disabled denies",
        arguments: [
            (ZoneSettings.PodRecords.insecure, "10-9-9-9.kiada.pod", RecordType.a, "10.9.9.9"),
            (.insecure, "10-9-9-9.nowhere.pod", .a, "NXDOMAIN"), (.insecure, "web.kiada.pod", .a, "NXDOMAIN"),
            (.insecure, "5678-abcd--1.kiada.pod", .aaaa, "5678:abcd::1"),
            (.insecure, "10-9-9-9.kiada.pod", .aaaa, "NODATA"),
            (.verified, "10-244-1-5.kiada.pod", .a, "10.244.1.5"), (.verified, "10-9-9-9.kiada.pod", .a, "NXDOMAIN"),
            (.verified, "10-244-1-5.default.pod", .a, "NXDOMAIN"), (.disabled, "10-244-1-5.kiada.pod", .a, "NXDOMAIN"),
        ] as [(ZoneSettings.PodRecords, String, RecordType, String)])
    func pods(mode: ZoneSettings.PodRecords, name: String, type: RecordType, answer: String) throws {
        #expect(try ClusterFixture(ZoneSettings(podRecords: mode)).answer(name, type) == answer)
    }

    @Test("6.2 the apex has SOA and NS, with glue; dns-version.Z says 1.1.0")
    func apex() throws {
        #expect(try cluster.answer("", .soa) == "soa:ns.dns.cluster.local.")
        #expect(try cluster.answer("", .ns) == "kube-dns.kube-system.svc.cluster.local.")
        #expect(try cluster.answer("ns.dns", .a) == "10.96.0.10")
        guard case .answer(let answer) = try cluster.resolve("cluster.local.", .ns) else {
            throw WireError.messageTooLong
        }
        #expect(ClusterFixture.words(answer.additionals) == "10.96.0.10")
        #expect(try cluster.answer("dns-version", .txt) == "1.1.0")
        #expect(try cluster.answer("dns-version", .a) == "NODATA")
        guard case .answer(let version) = try cluster.resolve("dns-version.cluster.local.", .txt) else {
            throw WireError.messageTooLong
        }
        #expect(version.answers[0].ttl == 28800)
    }

    @Test(
        "6.8 negative answers carry the SOA; TTLs are the setting's, the SOA's at most 300; owners keep the query's spelling"
    )
    func times() throws {
        let slow = ClusterFixture(ZoneSettings(ttl: 600))
        guard case .answer(let missing) = try slow.resolve("GONE.kiada.svc.cluster.local.", .a),
            case .answer(let found) = try slow.resolve("QUOTE.kiada.svc.cluster.local.", .a),
            case .soa(let soa) = missing.authorities.first?.data
        else { throw WireError.messageTooLong }
        #expect(missing.authorities[0].ttl == 300 && missing.authorities[0].name.description == "cluster.local.")
        #expect(soa.serial == 1_000 && soa.minimum == 600 && soa.mailbox.description == "hostmaster.cluster.local.")
        #expect((soa.refresh, soa.retry, soa.expire) == (7200, 1800, 86400))
        #expect(found.answers[0].ttl == 600 && found.answers[0].name.description == "QUOTE.kiada.svc.cluster.local.")
        #expect(found.isAuthoritative)
        #expect(ZoneSettings().ttl == 5)
    }

    @Test("6.2 transfers and other classes are REFUSED, and before the first sync all is SERVFAIL with the SOA")
    func refusals() throws {
        #expect(try cluster.answer("", .axfr) == "REFUSED")
        #expect(try cluster.answer("quote.kiada.svc", .ixfr) == "REFUSED")
        let name = try #require(Name("quote.kiada.svc.cluster.local"))
        guard case .answer(let chaos) = Resolver(cluster.zone).resolve(Question(name, .a, recordClass: .chaos)),
            case .answer(let early) = Resolver(Zone()).resolve(Question(name, .a))
        else { throw WireError.messageTooLong }
        #expect(chaos.code == .refused)
        #expect(early.code == .serverFailure && early.authorities.count == 1)
        #expect(Resolver(Zone()).resolve(Question(try #require(Name("example.org")), .a)) == .outside)
    }

    @Test("6.4 SRV answers bring the addresses of their targets")
    func additional() throws {
        for (name, expected) in [
            ("_http._tcp.dual.kiada.svc.cluster.local.", "10.96.0.30 fd00::30"),
            ("quote-headless.kiada.svc.cluster.local.", "10.244.1.5 10.244.1.6 fd00::5"),
        ] {
            guard case .answer(let answer) = try cluster.resolve(name, .srv) else { throw WireError.messageTooLong }
            #expect(ClusterFixture.words(answer.additionals) == expected)
        }
    }

    @Test("S39 the cluster domain is a setting that all names follow")
    func otherDomain() throws {
        let cluster = ClusterFixture(ZoneSettings(domain: try #require(Name("k8s.example"))))
        #expect(try cluster.answer("quote.kiada.svc.k8s.example.", .a) == "10.96.74.151")
        #expect(try cluster.answer("quote.kiada.svc.cluster.local.", .a) == "outside")
        #expect(try cluster.answer("151.74.96.10.in-addr.arpa.", .ptr) == "quote.kiada.svc.k8s.example.")
    }
}

@Suite("Changes of the zone")
struct ZoneTests {
    @Test("A deleted Service takes its name, its pointer and its endpoints' names away, and leaves the others")
    func deletedService() throws {
        var cluster = ClusterFixture()
        cluster.remove(KubeObject(.services, namespace: "kiada", name: "quote"))
        #expect(try cluster.answer("quote.kiada.svc", .a) == "NXDOMAIN")
        #expect(try cluster.answer("151.74.96.10.in-addr.arpa.", .ptr) == "outside")
        #expect(
            try cluster.answer("5.1.244.10.in-addr.arpa.", .ptr) == "quote1.quote-headless.kiada.svc.cluster.local.")
        #expect(cluster.zone.serial == 2_000)
    }

    @Test("Slices may come before their Service, change, move to another Service and go")
    func slices() throws {
        var cluster = ClusterFixture()
        cluster.add(ClusterFixture.slice("late", "l1", [("http", 80)], [("10.244.3.1", true, nil)]))
        #expect(try cluster.answer("late.kiada.svc", .a) == "NXDOMAIN")
        cluster.add(ClusterFixture.service("late", ips: ["None"], ports: []))
        #expect(try cluster.answer("late.kiada.svc", .a) == "10.244.3.1")
        cluster.add(ClusterFixture.slice("late", "l1", [("http", 80)], [("10.244.3.2", true, nil)]))
        #expect(try cluster.answer("late.kiada.svc", .a) == "10.244.3.2")
        #expect(try cluster.answer("1.3.244.10.in-addr.arpa.", .ptr) == "outside")
        cluster.add(ClusterFixture.slice("empty-headless", "l1", [("http", 80)], [("10.244.3.2", true, nil)]))
        #expect(try cluster.answer("late.kiada.svc", .a) == "NXDOMAIN")
        #expect(try cluster.answer("empty-headless.kiada.svc", .a) == "10.244.3.2")
        cluster.remove(ClusterFixture.slice("empty-headless", "l1", [], []))
        #expect(try cluster.answer("empty-headless.kiada.svc", .a) == "NXDOMAIN")
    }

    @Test("A Service whose cluster IP changes is found by the new one only")
    func changedAddress() throws {
        var cluster = ClusterFixture()
        cluster.add(ClusterFixture.service("quote", ips: ["10.96.1.1"], ports: [("http", "TCP", 80)]))
        #expect(try cluster.answer("151.74.96.10.in-addr.arpa.", .ptr) == "outside")
        #expect(try cluster.answer("1.1.96.10.in-addr.arpa.", .ptr) == "quote.kiada.svc.cluster.local.")
        #expect(try cluster.answer("10-244-1-5.quote.kiada.svc", .a) == "10.244.1.5")
    }

    @Test("A namespace that is gone takes all names in it away")
    func namespace() throws {
        var cluster = ClusterFixture()
        cluster.remove(KubeObject(.namespaces, name: "kiada"))
        #expect(try cluster.answer("quote.kiada.svc", .a) == "NXDOMAIN")
        #expect(try cluster.answer("kube-dns.kube-system.svc", .a) == "10.96.0.10")
    }

    @Test("A snapshot does not change when the zone does")
    func snapshot() throws {
        var cluster = ClusterFixture()
        let before = cluster
        cluster.remove(KubeObject(.services, namespace: "kiada", name: "quote"))
        #expect(try before.answer("quote.kiada.svc", .a) == "10.96.74.151")
    }
}
