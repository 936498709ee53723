import ClusterModel
import NetTypes
import ServiceRouting
import Testing

/// Several nodes on one machine: "here" with pods 10.244.0.x in zone a, "there" at 127.18.0.3 with 10.244.1.x in zone b.
@Suite struct NodeRoutingTests {
    private let here = Fixture.pod("10.244.0.1")
    private let there = Fixture.pod("10.244.1.1", node: "there")
    private let thereNodePort = Fixture.frontend("127.18.0.3", 30080)

    private func table(_ service: Service, _ pods: [JSONValue]) -> RoutingTable {
        var options = Fixture.options
        options.otherNodes = [
            RoutingNode(
                name: "there", zone: "b", addresses: [Fixture.address("127.18.0.3")],
                podRanges: ["10.244.1.0/24"].compactMap { CIDR($0) })
        ]
        return RoutingTable(services: [service], slices: [Fixture.slice(pods)], options: options)
    }

    private func hosts(_ table: RoutingTable, _ frontend: Frontend, from client: String) -> [String] {
        Fixture.hosts(table[frontend]?.verdict(for: Fixture.address(client)))
    }

    @Test("7.5 internalTrafficPolicy Local: a pod gets the endpoints of its own node, or no answer")
    func internalLocal() {
        let service = Fixture.service(spec: ["internalTrafficPolicy": "Local"])
        let both = table(service, [here, there])
        #expect(hosts(both, Fixture.cluster, from: "10.244.0.9") == ["10.244.0.1"])
        #expect(hosts(both, Fixture.cluster, from: "10.244.1.9") == ["10.244.1.1"])
        #expect(hosts(both, Fixture.cluster, from: "127.0.0.1") == ["10.244.0.1"])
        let one = table(service, [here])
        #expect(one[Fixture.cluster]?.verdict(for: Fixture.address("10.244.1.9")) == .drop)
        #expect(table(service, [])[Fixture.cluster]?.verdict(for: Fixture.address("10.244.1.9")) == .reject)
    }

    @Test("7.4 zone and node hints are read from the client's node")
    func hints() {
        let zones = table(
            Fixture.service(),
            [
                Fixture.pod("10.244.0.1", zones: ["a"]), Fixture.pod("10.244.1.1", node: "there", zones: ["b"]),
            ])
        #expect(hosts(zones, Fixture.cluster, from: "10.244.0.9") == ["10.244.0.1"])
        #expect(hosts(zones, Fixture.cluster, from: "10.244.1.9") == ["10.244.1.1"])
        let nodes = table(
            Fixture.service(),
            [
                Fixture.pod("10.244.0.1", zones: ["a"], nodes: ["here"]),
                Fixture.pod("10.244.0.2", zones: ["b"], nodes: ["there"]),
            ])
        #expect(hosts(nodes, Fixture.cluster, from: "10.244.1.9") == ["10.244.0.2"])
    }

    @Test("7.5 externalTrafficPolicy Local: a node port answers on nodes with an endpoint, and drops on others")
    func externalLocal() {
        let table = table(Fixture.service(type: "NodePort", spec: ["externalTrafficPolicy": "Local"]), [there])
        #expect(hosts(table, thereNodePort, from: "198.51.100.7") == ["10.244.1.1"])
        #expect(table[Fixture.nodePort]?.verdict(for: Fixture.address("198.51.100.7")) == .drop)
        #expect(hosts(table, Fixture.nodePort, from: "10.244.0.9") == ["10.244.1.1"])
    }

    @Test("A load balancer's address with Local policy is served by a node that has endpoints")
    func loadBalancer() {
        let table = table(Fixture.service(type: "LoadBalancer", spec: ["externalTrafficPolicy": "Local"]), [there])
        #expect(hosts(table, Fixture.vip, from: "198.51.100.7") == ["10.244.1.1"])
    }

    @Test("Where all nodes have the same verdict, the source is not looked at; all endpoints of a node are reachable")
    func same() {
        #expect(table(Fixture.service(), [here, there])[Fixture.cluster]?.ignoresSource == true)
        let local = table(Fixture.service(spec: ["internalTrafficPolicy": "Local"]), [here, there])
        #expect(local[Fixture.cluster]?.ignoresSource == false)
        #expect(local[Fixture.cluster]?.reachable.count == 2)
    }
}
