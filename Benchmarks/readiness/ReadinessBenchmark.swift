import ClusterModel
import ClusterStore
import Glibc
import Logging
import NetTypes
import ServiceProxy
import ServiceRouting

/// How long after a pod's readiness has changed the data plane follows: a row of a table per plane.
///
///     ReadinessBenchmark userspace nftables
///
/// Two pods of one Service take turns in being ready, with 1,000 other Services beside. A turn begins when the pod's new
/// status is given to the store, and ends when a connection to the cluster IP, dialled again and again, reaches the pod.
@main
enum ReadinessBenchmark {
    private static let turns = 200
    private static let otherServices = 1000

    static func main() async throws {
        for name in CommandLine.arguments.dropFirst() {
            guard let option = DataPlaneOption(rawValue: name) else {
                print("no data plane is called '\(name)': userspace, nftables or socket")
                exit(64)
            }
            try await measure(option)
        }
    }

    private static func measure(_ option: DataPlaneOption) async throws {
        var configuration = ServiceProxyConfiguration(nodeName: "node-1", manifests: nil)
        configuration.use(block: 209)
        configuration.publishAddress = nil
        configuration.healthPort = nil
        configuration.dnsPort = 5353
        configuration.dataPlane = option
        let proxy = try ServiceProxy(
            configuration, logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() })
        let store = proxy.store
        let cluster = try fill(store)
        let servers = try cluster.pods.map { try Server($0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await proxy.run() }
            while !proxy.isSettled { try await Task.sleep(for: .milliseconds(5)) }
            let clock = ContinuousClock()
            var times: [Duration] = []
            for turn in 0..<turns {
                let (new, old) = (turn % 2, 1 - turn % 2)
                let start = clock.now
                try setReady(true, cluster.keys[new], in: store)
                try setReady(false, cluster.keys[old], in: store)
                var number: UInt64 = 0
                repeat {
                    number += 1
                    guard start.duration(to: clock.now) < .seconds(5) else {
                        print("\(option.rawValue): pod \(new) was not reached in 5 s")
                        exit(1)
                    }
                } while !servers[new].reached(by: cluster.service, UInt64(turn) << 32 + number)
                times.append(start.duration(to: clock.now))
            }
            times.sort()
            let cells = [times[turns / 2], times[turns * 99 / 100], times[turns - 1]].map {
                "\(Int($0 / .microseconds(1))) µs"
            }
            print("| \(option.rawValue) | \(cells.joined(separator: " | ")) |")
            group.cancelAll()
        }
    }

    private struct Cluster {
        let service: SocketEndpoint
        let pods: [SocketEndpoint]
        let keys: [ObjectKey]
    }

    private static func fill(_ store: Store) throws -> Cluster {
        _ = try store.create(KubeObject(.namespaces, name: "bench"))
        for number in 0..<otherServices {
            var other = KubeObject(.services, namespace: "bench", name: "other-\(number)")
            other.json["spec"] = ["selector": ["app": .string("other-\(number)")], "ports": [["port": 80]]]
            _ = try store.create(other)
        }
        var service = KubeObject(.services, namespace: "bench", name: "s")
        service.json["spec"] = ["selector": ["app": "s"], "ports": [["port": 80, "targetPort": 8080]]]
        service = try store.create(service)
        let pods = ["127.209.128.1", "127.209.128.2"]
        let keys = try pods.enumerated().map { number, address in
            var pod = KubeObject(.pods, namespace: "bench", name: "p-\(number)")
            pod.labels = ["app": "s"]
            pod.json["spec"] = ["nodeName": "node-1", "containers": [["name": "app", "image": "none"]]]
            pod = try store.create(pod)
            pod.json["status"] = ["phase": "Running", "podIP": .string(address), "podIPs": [["ip": .string(address)]]]
            _ = try store.updateStatus(pod)
            return pod.key
        }
        let address = service.json["spec"]?["clusterIP"]?.stringValue.flatMap { IPAddress($0) }
        guard let address else { throw APIError(.internalError, "the Service got no cluster IP") }
        return Cluster(
            service: SocketEndpoint(address: address, port: 80),
            pods: pods.compactMap { IPAddress($0) }.map { SocketEndpoint(address: $0, port: 8080) }, keys: keys)
    }

    private static func setReady(_ isReady: Bool, _ key: ObjectKey, in store: Store) throws {
        _ = try store.modify(key) { pod in
            pod.json["status"]?["conditions"] = [["type": "Ready", "status": .string(isReady ? "True" : "False")]]
        }
    }
}

/// A pod's port: the kernel accepts, and this looks whether it has.
private final class Server {
    private let descriptor: Int32

    init(_ endpoint: SocketEndpoint) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        guard endpoint.withAddress({ bind(descriptor, $0, $1) }) == 0, listen(descriptor, 128) == 0 else {
            throw APIError(.internalError, "cannot listen at \(endpoint): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Dials `service` once and says whether the connection came here within a millisecond.
    ///
    /// - Parameter number: one of its own for each dial, which goes over the connection: others may still be queued here.
    func reached(by service: SocketEndpoint, _ number: UInt64) -> Bool {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        var number = number
        guard service.withAddress({ connect(client, $0, $1) }) == 0, send(client, &number, 8, Int32(MSG_NOSIGNAL)) == 8
        else { return false }
        while isReadable(descriptor) {
            let accepted = accept(descriptor, nil, nil)
            guard accepted >= 0 else { return false }
            defer { close(accepted) }
            var arrived: UInt64 = 0
            if isReadable(accepted), recv(accepted, &arrived, 8, 0) == 8, arrived == number { return true }
        }
        return false
    }

    private func isReadable(_ descriptor: Int32) -> Bool {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, 1) == 1
    }
}

extension SocketEndpoint {
    /// Calls `body` with the address as the socket calls take it.
    fileprivate func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        if case .v4(let ip) = self.address { address.sin_addr.s_addr = ip.bits.bigEndian }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
