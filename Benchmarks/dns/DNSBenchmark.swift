import ClusterDNS
import ClusterModel
import ClusterStore
import Logging
import NetTypes

/// Serves a cluster of many Services, for `run.sh` to ask about: `DNSBenchmark ADDRESS:PORT SERVICES THREADS`.
///
/// The Services are `svc-0`... in the namespace `bench`, with cluster IPs and one named port; the same names that `run.sh` writes
/// into the zone file of the other servers.
@main enum DNSBenchmark {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let endpoint = SocketEndpoint(arguments[1]), let count = Int(arguments[2]),
            let threads = Int(arguments[3])
        else { fatalError("usage: DNSBenchmark ADDRESS:PORT SERVICES THREADS") }
        let store = Store(admission: OpenAdmission(), source: SystemStoreSource { 0 })
        _ = try store.create(KubeObject(.namespaces, name: "bench"))
        for number in 0..<count {
            var service = KubeObject(.services, namespace: "bench", name: "svc-\(number)")
            service.json["spec"] = [
                "clusterIPs": .array([.string("10.96.\(number >> 8).\(number & 255)")]),
                "ports": .array([["name": "http", "protocol": "TCP", "port": 80]]),
            ]
            _ = try store.create(service)
        }
        let dns = try await ClusterDNS.start(
            store: store, zone: ZoneSettings(),
            server: DNSServerSettings(endpoints: [endpoint], socketsPerEndpoint: threads), upstreams: [],
            logger: Logger(label: "dns"), now: { 1 })
        await dns.run()
    }
}
