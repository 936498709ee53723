import ClusterModel
import NetTypes
import ServiceRouting
import Testing

@Suite struct RoutingTableTests {
    @Test("7.1 ExternalName, headless and foreign-proxy Services have no frontends")
    func skipped() {
        let pods = [Fixture.pod("10.244.0.1")]
        for service in [
            Fixture.service(type: "ExternalName"), Fixture.service(ip: "None"),
            Fixture.service(labels: [ServiceRoutes.proxyNameLabel: "other"]),
            Fixture.service(labels: [ServiceRoutes.headlessLabel: ""]),
        ] {
            #expect(Fixture.table(service, pods).frontendCount == 0)
        }
    }

    @Test("where somebody else listens, as the name server does at its cluster IP, there is no frontend")
    func exempt() {
        var options = Fixture.options
        options.exemptAddresses = [Fixture.cluster.address.address]
        let service = Fixture.service(type: "LoadBalancer")
        let routes = ServiceRoutes.routes(of: service, slices: [], options: options)
        #expect(Set(routes.map(\.frontend)) == [Fixture.vip, Fixture.nodePort, Fixture.frontend("127.0.0.1", 8080)])
    }

    @Test("7.2 a LoadBalancer has cluster IP, VIP, node port and, below 1024, localhost at 8000 + port")
    func frontends() {
        let table = Fixture.table(Fixture.service(type: "LoadBalancer"), [Fixture.pod("10.244.0.1")])
        let kinds = Dictionary(uniqueKeysWithValues: table.routes.map { ($0.frontend, $0.kind) })
        #expect(
            kinds == [
                Fixture.cluster: .clusterIP, Fixture.vip: .loadBalancer, Fixture.nodePort: .nodePort,
                Fixture.frontend("127.0.0.1", 8080): .localhost,
            ])
    }

    @Test("2.9 ipMode Proxy installs nothing for the address")
    func ipModeProxy() {
        let table = Fixture.table(Fixture.service(type: "LoadBalancer", ipMode: "Proxy"), [Fixture.pod("10.244.0.1")])
        #expect(table[Fixture.vip] == nil)
        #expect(table[Fixture.cluster] != nil)
    }

    @Test("7.4 terminating endpoints serve only when none is ready")
    func terminatingFallback() {
        let leaving = Fixture.pod("10.244.0.2", false, true, true)
        let both = Fixture.table(Fixture.service(), [Fixture.pod("10.244.0.1"), leaving])
        #expect(Fixture.hosts(both[Fixture.cluster]?.outside) == ["10.244.0.1"])
        let last = Fixture.table(Fixture.service(), [leaving, Fixture.pod("10.244.0.3", false, false, true)])
        #expect(Fixture.hosts(last[Fixture.cluster]?.outside) == ["10.244.0.2"])
        guard case .forward(let list)? = last[Fixture.cluster]?.outside else { return #expect(Bool(false)) }
        #expect(list.isTerminatingFallback)
    }

    @Test("7.4 zone hints count only when every ready endpoint has one and one names our zone")
    func zoneHints() {
        func chosen(_ pods: [JSONValue]) -> [String] {
            Fixture.hosts(Fixture.table(Fixture.service(), pods)[Fixture.cluster]?.outside)
        }
        let near = Fixture.pod("10.244.0.1", zones: ["a"])
        let far = Fixture.pod("10.244.1.1", node: "there", zones: ["b"])
        #expect(chosen([near, far]) == ["10.244.0.1"])
        #expect(chosen([near, far, Fixture.pod("10.244.1.2")]).count == 3)
        #expect(chosen([far]) == ["10.244.1.1"])
    }

    @Test("7.4 node hints go before zone hints")
    func nodeHints() {
        let table = Fixture.table(
            Fixture.service(),
            [
                Fixture.pod("10.244.0.1", zones: ["a"], nodes: ["here"]),
                Fixture.pod("10.244.1.1", zones: ["a"], nodes: ["there"]),
            ])
        #expect(Fixture.hosts(table[Fixture.cluster]?.outside) == ["10.244.0.1"])
    }

    @Test("7.5 no usable endpoint anywhere is a refusal, under every policy", arguments: ["Cluster", "Local"])
    func reject(policy: String) {
        let service = Fixture.service(
            type: "LoadBalancer",
            spec: ["internalTrafficPolicy": .string(policy), "externalTrafficPolicy": .string(policy)])
        let table = Fixture.table(service, [Fixture.pod("10.244.0.1", false, false)])
        #expect(table.routes.allSatisfy { $0.outside == .reject && $0.inside == .reject })
        #expect(table.frontendCount == 4)
    }

    @Test("7.5 internal Local takes local endpoints, or drops when they are elsewhere")
    func internalLocal() {
        let service = Fixture.service(spec: ["internalTrafficPolicy": "Local"])
        let far = Fixture.pod("10.244.1.1", node: "there")
        #expect(
            Fixture.hosts(Fixture.table(service, [Fixture.pod("10.244.0.1"), far])[Fixture.cluster]?.outside)
                == ["10.244.0.1"])
        #expect(Fixture.table(service, [far])[Fixture.cluster]?.outside == .drop)
    }

    @Test("7.5 external Local drops outsiders without local endpoints, but not pods and the node itself")
    func externalLocal() {
        let service = Fixture.service(type: "NodePort", spec: ["externalTrafficPolicy": "Local"])
        let table = Fixture.table(service, [Fixture.pod("10.244.1.1", node: "there")])
        let route = table[Fixture.nodePort]
        #expect(route?.verdict(for: Fixture.address("203.0.113.9")) == .drop)
        #expect(Fixture.hosts(route?.verdict(for: Fixture.address("10.244.0.7"))) == ["10.244.1.1"])
        for node in ["127.18.0.2", "127.0.0.1"] {
            #expect(Fixture.hosts(route?.verdict(for: Fixture.address(node))) == ["10.244.1.1"])
        }
        #expect(Fixture.hosts(table[Fixture.cluster]?.outside) == ["10.244.1.1"])
    }

    @Test("7.5 a program of this machine may have a load balancer's or an external address as its own")
    func externalLocalFromItself() {
        let service = Fixture.service(
            type: "LoadBalancer", spec: ["externalTrafficPolicy": "Local", "externalIPs": ["203.0.113.7"]])
        let table = Fixture.table(service, [Fixture.pod("10.244.1.1", node: "there")])
        for frontend in [Fixture.vip, Fixture.frontend("203.0.113.7", 80)] {
            let route = table[frontend]
            #expect(Fixture.hosts(route?.verdict(for: frontend.address.address)) == ["10.244.1.1"])
            #expect(route?.verdict(for: Fixture.address("203.0.113.9")) == .drop)
        }
    }

    @Test("7.9 source ranges bind the VIP only, are trimmed, and 0.0.0.0/0 opens it")
    func sourceRanges() {
        func table(_ range: JSONValue) -> RoutingTable {
            Fixture.table(
                Fixture.service(type: "LoadBalancer", spec: ["loadBalancerSourceRanges": .array([range])]),
                [Fixture.pod("10.244.0.1")])
        }
        let closed = table(" 203.0.113.0/24 ")
        #expect(closed[Fixture.vip]?.verdict(for: Fixture.address("198.51.100.1")) == .drop)
        #expect(closed[Fixture.vip]?.verdict(for: Fixture.address("203.0.113.9")).endpoints.count == 1)
        #expect(closed[Fixture.nodePort]?.allowedSources == nil)
        #expect(table("0.0.0.0/0")[Fixture.vip]?.allowedSources == nil)
        #expect(table("127.18.0.0/16")[Fixture.vip]?.verdict(for: Fixture.address("127.80.0.1")) != .drop)
    }

    @Test("3.4 endpoints match by port name, whatever the targetPort says")
    func portNames() {
        let slices = [Fixture.slice([Fixture.pod("10.244.0.1")], portName: "other")]
        let table = RoutingTable(services: [Fixture.service()], slices: slices, options: Fixture.options)
        #expect(table[Fixture.cluster]?.outside == .reject)
    }

    @Test("an update says exactly what changed, and nothing when nothing did")
    func updates() {
        var table = Fixture.table(Fixture.service(), [Fixture.pod("10.244.0.1")])
        let same = table.update(
            Fixture.id, service: Fixture.service(), slices: [Fixture.slice([Fixture.pod("10.244.0.1")])])
        #expect(same.isEmpty)
        let more = [Fixture.slice([Fixture.pod("10.244.0.1"), Fixture.pod("10.244.0.2")])]
        let before = table
        let grown = table.update(Fixture.id, service: Fixture.service(), slices: more)
        #expect(grown.changed.map(\.frontend) == [Fixture.cluster] && grown.removed.isEmpty)
        #expect(grown == RoutingDiff(from: before, to: table))
        let gone = table.update(Fixture.id, service: nil, slices: [])
        #expect(gone.removed == [Fixture.cluster] && gone.changed.isEmpty)
    }

    @Test("a frontend that two Services claim is the first one's, then the other's")
    func contested() {
        let pods = [Fixture.slice([Fixture.pod("10.244.0.1")])]
        var table = RoutingTable(options: Fixture.options)
        let late = ServiceID(namespace: "kiada", name: "z")
        _ = table.update(late, service: Fixture.service(name: "z"), slices: pods)
        _ = table.update(Fixture.id, service: Fixture.service(), slices: pods)
        #expect(table[Fixture.cluster]?.port.service == Fixture.id)
        #expect(table.contested == [Fixture.cluster: [late]])
        let diff = table.update(Fixture.id, service: nil, slices: [])
        #expect(diff.changed.map(\.port.service) == [late])
        #expect(table.contested.isEmpty)
    }

    @Test("7.13 only ready local endpoints count for the health check port")
    func healthCheck() {
        let service = Fixture.service(
            type: "LoadBalancer",
            spec: ["externalTrafficPolicy": "Local", "healthCheckNodePort": .integer(31000)])
        let table = Fixture.table(
            service,
            [
                Fixture.pod("10.244.0.1"), Fixture.pod("10.244.0.2", false, true, true),
                Fixture.pod("10.244.1.1", node: "there"),
            ])
        #expect(table.healthChecks[Fixture.id]?.localEndpoints == 1)
        #expect(table.healthChecks[Fixture.id]?.port == 31000)
    }
}
