#if os(Linux)
import Glibc
import Logging
import NetTypes
import ServiceRouting
import SocketProxy

/// A process that holds a socket plane, to be killed by tests and measured by benchmarks.
///
///     SocketHolder CONTROL-GROUP [tcp|udp FRONTEND ENDPOINT[,ENDPOINT...]]...
///
/// It says `ready`, or why it cannot, and runs until it is killed. Nothing is beneath the plane.
@main
enum SocketHolder {
    static func main() async {
        var diff = RoutingDiff()
        var rest = CommandLine.arguments.dropFirst(2)
        while rest.count >= 3 {
            let words = (0..<3).map { _ in rest.removeFirst() }
            guard let frontend = SocketEndpoint(words[1]) else { exit(64) }
            let endpoints = words[2].split(separator: ",").compactMap { SocketEndpoint($0) }
            let proto: TransportProtocol = words[0] == "udp" ? .udp : .tcp
            let list = EndpointList(endpoints.map { RoutedEndpoint(address: $0) })
            let service = ServiceID(namespace: "test", name: words[1])
            diff.changed.append(
                FrontendRoute(
                    frontend: Frontend(frontend, proto), kind: .clusterIP,
                    port: ServicePortID(service: service, portName: "", proto: proto),
                    outside: list.isEmpty ? .reject : .forward(list)))
        }
        var configuration = SocketConfiguration()
        configuration.controlGroup = CommandLine.arguments.dropFirst().first
        do {
            let plane = try SocketPlane(
                configuration: configuration, beneath: { NothingBeneath() }, logger: Logger(label: "holder"))
            await plane.apply(diff)
            print("ready")
            fflush(nil)
            while true { pause() }
        } catch {
            print(error)
            exit(1)
        }
    }
}

/// A plane that serves nothing.
struct NothingBeneath: DataPlane {
    let name = "nothing"
    func apply(_ diff: RoutingDiff) async -> [FrontendProblem] { [] }
    func connectionEvents(limit: Int) -> AsyncStream<ConnectionEvent> { AsyncStream { $0.finish() } }
    func counters() async -> [EndpointCounters] { [] }
    func stop() async {}
}
#endif
