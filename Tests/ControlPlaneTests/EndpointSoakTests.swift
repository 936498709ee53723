import ClusterModel
import ClusterStore
import NetTypes
import Testing

@testable import ControlPlane

/// Random changes, compared with a model that knows only the rules and looks at everything each time.
struct EndpointSoakTests {
    @Test(
        "3.1 to 3.8 after any sequence of changes, slices and Endpoints are what a naive model says",
        arguments: [1, 2, UInt64.random(in: 3...UInt64.max)])
    func soak(seed: UInt64) async throws {
        var random = Mixer(state: seed)
        var driven = try Driven()
        _ = try driven.cluster.store.create(KubeObject(.nodes, name: "n1"))
        for round in 1...40 {
            for _ in 0..<20 { try Self.change(driven.cluster.store, &random) }
            try await driven.settle()
            let model = NaiveModel(driven.cluster.store)
            #expect(Self.slices(driven.cluster.store) == model.slices, "seed \(seed), round \(round)")
            #expect(Self.endpoints(driven.cluster.store) == model.endpoints, "seed \(seed), round \(round)")
        }
        #expect(!driven.cluster.store.list(.endpointslices).items.isEmpty)
    }

    // MARK: Changes

    private static func change(_ store: Store, _ random: inout Mixer) throws {
        let pod = ObjectKey(.pods, namespace: "kiada", name: "p\(random.below(30))")
        let service = ObjectKey(.services, namespace: "kiada", name: "s\(random.below(6))")
        switch random.below(10) {
        case 0, 1, 2:
            if store.get(pod) == nil { _ = try store.create(newPod(pod.name, &random)) }
        case 3:
            if store.get(pod) != nil { _ = try store.delete(pod, gracePeriod: random.below(2) == 0 ? 0 : 30) }
        case 4, 5:
            let isReady = random.below(2) == 0
            let phase = random.below(8) == 0 ? "Succeeded" : "Running"
            guard store.get(pod) != nil else { return }
            _ = try store.modify(pod) { pod in
                pod.json["status"]?["phase"] = .string(phase)
                pod.json["status"]?["conditions"] = [["type": "Ready", "status": isReady ? "True" : "False"]]
            }
        case 6:
            let labels = newLabels(&random)
            if store.get(pod) != nil { _ = try store.modify(pod) { $0.labels = labels } }
        case 7:
            if store.get(service) == nil {
                _ = try store.create(Cluster.service(service.name, newSpec(&random)))
            } else if random.below(3) == 0 {
                _ = try store.delete(service)
            }
        case 8:
            let selector = newLabels(&random)
            guard store.get(service) != nil else { return }
            _ = try store.modify(service) { $0.json["spec"]?["selector"] = .object(selector.mapValues { .string($0) }) }
        default:
            let publishes = random.below(2) == 0
            guard store.get(service) != nil else { return }
            _ = try store.modify(service) { $0.json["spec"]?["publishNotReadyAddresses"] = .bool(publishes) }
        }
    }

    private static func newLabels(_ random: inout Mixer) -> [String: String] {
        var labels = ["app": ["quote", "quiz"][random.below(2)]]
        if random.below(2) == 0 { labels["rel"] = ["stable", "canary"][random.below(2)] }
        return labels
    }

    private static func newPod(_ name: String, _ random: inout Mixer) -> KubeObject {
        let ports: JSONValue =
            random.below(3) == 0 ? [] : [["name": "http", "containerPort": JSONValue(8080 + random.below(2))]]
        let number = name.dropFirst()
        var pod = Cluster.pod(
            name, labels: newLabels(&random), ip: random.below(6) == 0 ? nil : "10.244.\(random.below(3)).\(number)",
            isReady: random.below(3) > 0, ports: ports)
        if let node = [nil, "n1", "n1", "ghost"][random.below(4)] { pod.json["spec"]?["nodeName"] = .string(node) }
        return pod
    }

    private static func newSpec(_ random: inout Mixer) -> JSONValue {
        let target: JSONValue = random.below(2) == 0 ? "http" : 80
        var spec: JSONValue = ["ports": [["name": "web", "port": 80, "targetPort": target]]]
        spec["selector"] = .object(newLabels(&random).mapValues { .string($0) })
        if random.below(4) == 0 { spec["clusterIP"] = "None" }
        return spec
    }

    // MARK: What there is

    private static func slices(_ store: Store) -> [String: [String]] {
        var found: [String: [String]] = [:]
        for slice in store.list(.endpointslices).items.map(EndpointSlice.init) {
            let ports = slice.ports.map { "\($0.name):\($0.port)" }.joined()
            for endpoint in slice.endpoints {
                let marks = [endpoint.isReady, endpoint.isServing, endpoint.isTerminating].map { $0 ? "T" : "F" }
                found[slice.serviceName ?? "", default: []].append(
                    "\(endpoint.targetName ?? "") \(endpoint.addresses.map(\.description).joined()) \(ports) "
                        + marks.joined())
            }
        }
        return found.mapValues { $0.sorted() }
    }

    private static func endpoints(_ store: Store) -> [String: [String]] {
        var found: [String: [String]] = [:]
        for object in store.list(.endpoints).items {
            var lines: [String] = []
            for subset in object.json["subsets"]?.arrayValue ?? [] {
                let port = subset["ports"]?[0]?["port"]?.intValue ?? 0
                for (list, mark) in [("addresses", "ready"), ("notReadyAddresses", "not ready")] {
                    for address in subset[list]?.arrayValue ?? [] {
                        lines.append("\(address["ip"]?.stringValue ?? "") \(port) \(mark)")
                    }
                }
            }
            found[object.name] = lines.sorted()
        }
        return found
    }
}

/// The rules of section 3, applied to all pods for each Service.
private struct NaiveModel {
    var slices: [String: [String]] = [:]
    var endpoints: [String: [String]] = [:]

    init(_ store: Store) {
        for service in store.list(.services, namespace: "kiada").items {
            let spec = service.json["spec"] ?? [:]
            let selector = spec["selector"]?.stringMap ?? [:]
            let publishes = spec["publishNotReadyAddresses"]?.boolValue ?? false
            endpoints[service.name] = []
            for pod in store.list(.pods, namespace: "kiada").items {
                guard selector.allSatisfy({ pod.labels[$0.key] == $0.value }),
                    let ip = pod.json["status"]?["podIP"]?.stringValue,
                    pod.json["status"]?["phase"]?.stringValue != "Succeeded"
                else { continue }
                let isReady = pod.json["status"]?["conditions"]?[0]?["status"]?.stringValue == "True"
                let isEnding = pod.deletionTimestamp != nil
                let port = Self.port(spec["ports"]?[0]?["targetPort"], of: pod)
                let isOnNode = pod.json["spec"]?["nodeName"]?.stringValue != "ghost"
                if isOnNode || publishes {
                    let marks = [publishes || (isReady && !isEnding), isReady, isEnding].map { $0 ? "T" : "F" }
                    slices[service.name, default: []].append(
                        "\(pod.name) \(ip) \(port.map { "web:\($0)" } ?? "") \(marks.joined())")
                }
                if let port, publishes || !isEnding {
                    endpoints[service.name]?.append("\(ip) \(port) \(isReady || publishes ? "ready" : "not ready")")
                }
            }
            slices[service.name]?.sort()
            endpoints[service.name]?.sort()
        }
    }

    private static func port(_ target: JSONValue?, of pod: KubeObject) -> Int? {
        if let number = target?.intValue { return number }
        return pod.json["spec"]?["containers"]?[0]?["ports"]?[0]?["containerPort"]?.intValue
    }
}

/// Numbers that look random and follow from a seed (SplitMix64).
private struct Mixer {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
