import ClusterDNS
import ClusterModel
import NetTypes
import Testing

@Suite("6.12 resolv.conf of a pod")
struct ResolvConfTests {
    private let node = ResolvConf(
        parsing: "# node\nnameserver 192.168.0.1\nsearch old\nsearch localdomain.\noptions edns0\n")
    private let dns = [IPAddress.v4(IPv4Address(bits: 0x0A60_000A))]

    private func file(_ pod: PodDNS, dns: [IPAddress]? = nil) -> ResolvConf.PodResult {
        ResolvConf.forPod(pod, namespace: "kiada", clusterDNS: dns ?? self.dns, domain: "cluster.local", node: node)
    }

    @Test("S40 ClusterFirst: exactly these three lines")
    func clusterFirst() {
        let text = """
            search kiada.svc.cluster.local svc.cluster.local cluster.local localdomain
            nameserver 10.96.0.10
            options ndots:5

            """
        #expect(file(PodDNS()).file.description == text)
        #expect(file(PodDNS(policy: .clusterFirstWithHostNet, isHostNetwork: true)).file.description == text)
        #expect(file(PodDNS()).warnings.isEmpty)
    }

    @Test("S44 Default and ClusterFirst in the host's network: the node's file; None: only what dnsConfig says")
    func others() {
        #expect(file(PodDNS(policy: .default)).file == node)
        #expect(file(PodDNS(isHostNetwork: true)).file == node)
        #expect(node.description == "search localdomain\nnameserver 192.168.0.1\noptions edns0\n")
        #expect(file(PodDNS(policy: .none, nameservers: ["1.1.1.1"])).file.description == "nameserver 1.1.1.1\n")
    }

    @Test("Without a DNS Service ClusterFirst is Default, with the warning MissingClusterDNS")
    func missing() {
        let result = file(PodDNS(), dns: [])
        #expect(result.file == node && result.warnings.map(\.reason) == ["MissingClusterDNS"])
    }

    @Test("S45 dnsConfig comes behind, duplicates keep the first place, its options win and keep their place")
    func config() {
        let pod = PodDNS(podSpec: [
            "dnsConfig": [
                "nameservers": ["1.1.1.1", "10.96.0.10"], "searches": ["search1.", "svc.cluster.local", "search2"],
                "options": [
                    ["name": "ndots", "value": "2"], ["name": "custom-option", "value": "foo"], ["name": "edns0"],
                ],
            ]
        ])
        let text = """
            search kiada.svc.cluster.local svc.cluster.local cluster.local localdomain search1 search2
            nameserver 10.96.0.10
            nameserver 1.1.1.1
            options ndots:2 custom-option:foo edns0

            """
        #expect(file(pod).file.description == text)
    }

    @Test("Three name servers, 32 domains and 2048 characters are kept, the rest is left out with a warning")
    func limits() {
        let many = file(PodDNS(nameservers: ["1.1.1.1", "2.2.2.2", "3.3.3.3"]))
        #expect(many.file.nameservers == ["10.96.0.10", "1.1.1.1", "2.2.2.2"])
        #expect(many.warnings.map(\.reason) == ["DNSConfigForming"])
        #expect(many.warnings[0].message.hasSuffix("nameserver line is: 10.96.0.10 1.1.1.1 2.2.2.2"))
        let wide = file(PodDNS(searches: (0..<40).map { "d\($0)" }))
        #expect(wide.file.searches.count == 32 && wide.file.searches.last == "d27")
        #expect(wide.warnings.count == 1)
        let long = file(PodDNS(searches: (0..<20).map { "\($0)." + String(repeating: "x", count: 200) }))
        #expect(long.file.searches.joined(separator: " ").utf8.count <= 2048 && long.file.searches.count == 13)
        let wrong = file(PodDNS(searches: [String(repeating: "x", count: 254), "ok"]))
        #expect(wrong.file.searches.last == "ok" && wrong.file.searches.count == 5)
    }

    @Test("Policies are read by their Kubernetes names")
    func policies() {
        #expect(
            PodDNS(podSpec: ["dnsPolicy": "None", "hostNetwork": true]) == PodDNS(policy: .none, isHostNetwork: true))
        #expect(PodDNS(podSpec: [:]).policy == .clusterFirst)
    }
}
