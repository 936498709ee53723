import ClusterModel
import ClusterStore
import ControlPlane
import FoundationEssentials
import Glibc
import LinuxKernel
import Logging
import NetTypes
import StorePersistence

/// How large a cluster the store can hold: `fill FILE SERVICES PODS` makes one, `load FILE` measures reading it back.
@main
enum StoreBenchmark {
    static func main() async throws {
        let arguments = CommandLine.arguments
        switch (arguments.dropFirst().first, arguments.count) {
        case ("fill", 5):
            guard let services = Int(arguments[3]), let pods = Int(arguments[4]) else { break }
            return try await fill(arguments[2], services: services, pods: pods)
        case ("load", 3): return try await load(arguments[2])
        default: break
        }
        print("usage: StoreBenchmark fill FILE SERVICES PODS | load FILE")
        exit(64)
    }

    /// Makes Services, and pods in equal parts for each, ready and with addresses; the controllers add what follows.
    private static func fill(_ file: String, services: Int, pods: Int) async throws {
        let cluster = try BenchmarkCluster(file)
        let clock = ContinuousClock()
        let start = clock.now
        for name in ["default", "kiada"] { _ = try cluster.store.create(KubeObject(.namespaces, name: name)) }
        var node = KubeObject(.nodes, name: "n1")
        node.json["status"] = ["conditions": [["type": "Ready", "status": "True"]]]
        _ = try cluster.store.create(node)
        for number in 0..<services { _ = try cluster.store.create(service(number)) }
        for number in 0..<pods { _ = try cluster.store.create(pod(number, of: number % services)) }
        print("written: \(services + pods) objects in \(start.duration(to: clock.now))")
        try await cluster.settle()
        print("with EndpointSlices and Endpoints: \(start.duration(to: clock.now)); \(memory())")
    }

    private static func load(_ file: String) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let cluster = try BenchmarkCluster(file)
        let counts = [ResourceType.services, .pods, .endpointslices].map {
            "\($0.rawValue) \(cluster.store.list($0).items.count)"
        }
        print("loaded in \(start.duration(to: clock.now)): \(counts.joined(separator: ", ")); \(memory())")
        try await cluster.settle()
        print("controllers at rest after \(start.duration(to: clock.now)); \(memory())")
    }

    private static func service(_ number: Int) -> KubeObject {
        var object = KubeObject(.services, namespace: "kiada", name: "s-\(number)")
        object.json["spec"] = ["selector": ["app": .string("s-\(number)")], "ports": [["name": "http", "port": 80]]]
        return object
    }

    private static func pod(_ number: Int, of service: Int) -> KubeObject {
        var pod = KubeObject(.pods, namespace: "kiada", name: "p-\(number)")
        pod.labels = ["app": "s-\(service)"]
        pod.json["spec"] = [
            "nodeName": "n1",
            "containers": [
                [
                    "name": "app", "image": "kiada/quote:1.0", "ports": [["name": "http", "containerPort": 80]],
                    "readinessProbe": ["httpGet": ["path": "/healthz/ready", "port": "http"], "periodSeconds": 1],
                ]
            ],
        ]
        let address = "10.\(100 + number / 65536).\(number / 256 % 256).\(number % 256)"
        pod.json["status"] = [
            "phase": "Running", "podIP": .string(address), "podIPs": [["ip": .string(address)]], "hostIP": "127.18.0.2",
            "conditions": [
                ["type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"],
                ["type": "ContainersReady", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"],
            ],
        ]
        return pod
    }

    private static func memory() -> String {
        let text = (try? String(contentsOf: URL(filePath: "/proc/self/status"), encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("VmRSS") || $0.hasPrefix("VmHWM") }
        return lines.map { $0.split(separator: " ").joined(separator: " ").replacing("\t", with: " ") }
            .joined(separator: ", ")
    }
}

/// A store on a file, with its controllers.
private struct BenchmarkCluster {
    let store: Store
    private let controlPlane: ControlPlane

    init(_ file: String) throws {
        let journal = try SQLiteJournal(path: file)
        let contents = try journal.contents()
        let networks = ClusterNetworks(serviceRanges: ["10.0.0.0/12"].compactMap { CIDR($0) })
        let admission = ClusterAdmission(networks)
        admission.restore(contents.objects.filter { $0.type == .services })
        store = Store(
            admission: admission, source: SystemStoreSource { Int64(time(nil)) }, journal: journal, contents: contents)
        let now: @Sendable () -> Int64 = { Int64(time(nil)) }
        controlPlane = ControlPlane(
            store, networks: networks, events: EventRecorder(store, now: now), logger: Logger(label: "benchmark"),
            now: now)
    }

    /// Runs the controllers until they have nothing to do.
    func settle() async throws {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [controlPlane] in await controlPlane.run { continuation.yield() } }
            // As the service proxy does.
            group.addTask {
                while (try? await Task.sleep(for: .seconds(FreedMemory.interval))) != nil { FreedMemory.giveBack() }
            }
            for await _ in stream where controlPlane.isSettled { break }
            group.cancelAll()
        }
        FreedMemory.giveBack()
    }
}
