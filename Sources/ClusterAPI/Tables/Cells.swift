import ClusterModel
import NetTypes

/// The cells of Services (2.10, kubectl-wire 4).
enum ServiceCells {
    static func cells(_ object: KubeObject, age: String) -> [String] {
        let service = Service(object)
        let spec = object.json["spec"]
        let address = service.clusterIPs.first { !$0.isEmpty } ?? "<none>"
        let ports = (spec?["ports"]?.arrayValue ?? []).map { port in
            let node = port["nodePort"]?.intValue.flatMap { $0 == 0 ? nil : ":\($0)" } ?? ""
            return "\(port["port"]?.intValue ?? 0)\(node)/\(port["protocol"]?.stringValue ?? "TCP")"
        }
        let selector = (spec?["selector"]?.stringMap ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return [
            service.type.rawValue, address, external(service), joined(ports), age, joined(selector),
        ]
    }

    private static func external(_ service: Service) -> String {
        let own = service.externalIPs.map(\.description)
        switch service.type {
        case .externalName: return service.externalName ?? "<none>"
        case .loadBalancer:
            let ingress = service.loadBalancerIngress.compactMap { $0.ip?.description ?? $0.hostname }
            let all = Array(Set(ingress)).sorted() + own
            return all.isEmpty ? "<pending>" : all.joined(separator: ",")
        case .clusterIP, .nodePort: return joined(own)
        }
    }

    private static func joined(_ list: [String]) -> String { list.isEmpty ? "<none>" : list.joined(separator: ",") }
}

/// The cells of pods (kubectl-wire 4).
enum PodCells {
    static func cells(_ object: KubeObject, age: String, now: Int64) -> [String] {
        let status = object.json["status"]
        let containers = status?["containerStatuses"]?.arrayValue ?? []
        let total = object.json["spec"]?["containers"]?.arrayValue?.count ?? 0
        let ready = containers.count { $0["ready"]?.boolValue == true }
        let gates = (object.json["spec"]?["readinessGates"]?.arrayValue ?? []).compactMap {
            $0["conditionType"]?.stringValue
        }
        let conditions = status?["conditions"]?.arrayValue ?? []
        let passed = gates.count { gate in
            conditions.contains { $0["type"]?.stringValue == gate && $0["status"]?.stringValue == "True" }
        }
        let address = status?["podIPs"]?[0]?["ip"]?.stringValue ?? status?["podIP"]?.stringValue ?? "<none>"
        return [
            "\(ready)/\(total)", reason(object), restarts(containers, now), age, address,
            object.json["spec"]?["nodeName"]?.stringValue ?? "<none>",
            status?["nominatedNodeName"]?.stringValue ?? "<none>",
            gates.isEmpty ? "<none>" : "\(passed)/\(gates.count)",
        ]
    }

    private static func restarts(_ containers: [JSONValue], _ now: Int64) -> String {
        let count = containers.reduce(0) { $0 + ($1["restartCount"]?.intValue ?? 0) }
        let last = containers.compactMap { $0["lastState"]?["terminated"]?["finishedAt"]?.stringValue }.max()
        guard count > 0, let last else { return "\(count)" }
        return "\(count) (\(Table.age(last, now: now)) ago)"
    }

    private static func reason(_ object: KubeObject) -> String {
        let status = object.json["status"]
        let phase = status?["phase"]?.stringValue ?? "Pending"
        var reason = status?["reason"]?.stringValue ?? phase
        let inits = status?["initContainerStatuses"]?.arrayValue ?? []
        let initTotal = object.json["spec"]?["initContainers"]?.arrayValue?.count ?? 0
        var isInitializing = false
        for (index, container) in inits.enumerated() {
            let state = container["state"]
            if state?["terminated"]?["exitCode"]?.intValue == 0 { continue }
            if container["started"]?.boolValue == true, state?["running"] != nil { continue }
            isInitializing = true
            if let terminated = state?["terminated"] {
                reason = "Init:\(ended(terminated))"
            } else if let waiting = state?["waiting"]?["reason"]?.stringValue, waiting != "PodInitializing" {
                reason = "Init:\(waiting)"
            } else {
                reason = "Init:\(index)/\(initTotal)"
            }
            break
        }
        if !isInitializing {
            var hasRunning = false
            for container in (status?["containerStatuses"]?.arrayValue ?? []).reversed() {
                let state = container["state"]
                if let waiting = state?["waiting"]?["reason"]?.stringValue {
                    reason = waiting
                } else if let terminated = state?["terminated"] {
                    reason = ended(terminated)
                } else if state?["running"] != nil, container["ready"]?.boolValue == true {
                    hasRunning = true
                }
            }
            if reason == "Completed", hasRunning { reason = Pod(object).isReady ? "Running" : "NotReady" }
        }
        if object.deletionTimestamp != nil, phase != "Succeeded", phase != "Failed" { reason = "Terminating" }
        return reason
    }

    private static func ended(_ terminated: JSONValue) -> String {
        if let reason = terminated["reason"]?.stringValue, !reason.isEmpty { return reason }
        if let signal = terminated["signal"]?.intValue, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(terminated["exitCode"]?.intValue ?? 0)"
    }
}

/// The cells of Endpoints and EndpointSlices (3.11).
enum EndpointCells {
    static func endpoints(_ object: KubeObject) -> String {
        var all: [String] = []
        for subset in object.json["subsets"]?.arrayValue ?? [] {
            let ports = (subset["ports"]?.arrayValue ?? []).compactMap { $0["port"]?.intValue }
            for address in (subset["addresses"]?.arrayValue ?? []).compactMap({ $0["ip"]?.stringValue }) {
                let host = address.contains(":") ? "[\(address)]" : address
                if ports.isEmpty { all.append(address) } else { all += ports.map { "\(host):\($0)" } }
            }
        }
        return shortened(all, none: "<none>")
    }

    static func slicePorts(_ object: KubeObject) -> String {
        let ports = (object.json["ports"]?.arrayValue ?? []).map { port in
            port["port"]?.intValue.map { "\($0)" } ?? port["name"]?.stringValue ?? "*"
        }
        return shortened(ports, none: "<unset>")
    }

    static func sliceAddresses(_ object: KubeObject) -> String {
        let addresses = (object.json["endpoints"]?.arrayValue ?? []).flatMap { endpoint in
            (endpoint["addresses"]?.arrayValue ?? []).compactMap(\.stringValue)
        }
        return shortened(addresses, none: "<unset>")
    }

    private static func shortened(_ list: [String], none: String) -> String {
        guard !list.isEmpty else { return none }
        let more = list.count > 3 ? " + \(list.count - 3) more..." : ""
        return list.prefix(3).joined(separator: ",") + more
    }
}

/// The cells of nodes (kubectl-wire 4).
enum NodeCells {
    static func cells(_ object: KubeObject, age: String) -> [String] {
        let status = object.json["status"]
        let ready = (status?["conditions"]?.arrayValue ?? []).first { $0["type"]?.stringValue == "Ready" }
        var state = ready.map { $0["status"]?.stringValue == "True" ? "Ready" : "NotReady" } ?? "Unknown"
        if object.json["spec"]?["unschedulable"]?.boolValue == true { state += ",SchedulingDisabled" }
        let prefix = "node-role.kubernetes.io/"
        let roles = object.labels.keys.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }.sorted()
        func address(_ type: String) -> String {
            (status?["addresses"]?.arrayValue ?? []).first { $0["type"]?.stringValue == type }?["address"]?.stringValue
                ?? "<none>"
        }
        func info(_ key: String) -> String { status?["nodeInfo"]?[key]?.stringValue ?? "<unknown>" }
        return [
            state, roles.isEmpty ? "<none>" : roles.joined(separator: ","), age,
            status?["nodeInfo"]?["kubeletVersion"]?.stringValue ?? "", address("InternalIP"), address("ExternalIP"),
            info("osImage"), info("kernelVersion"), info("containerRuntimeVersion"),
        ]
    }
}

/// The cells of events (kubectl-wire 4).
enum EventCells {
    static func cells(_ object: KubeObject, now: Int64) -> [String] {
        let json = object.json
        let first = json["firstTimestamp"]?.stringValue ?? json["eventTime"]?.stringValue
        let last = json["lastTimestamp"]?.stringValue ?? first
        let involved = json["involvedObject"]
        let name = "\((involved?["kind"]?.stringValue ?? "").lowercased())/\(involved?["name"]?.stringValue ?? "")"
        let message = json["message"]?.stringValue ?? ""
        return [
            Table.age(last, now: now), json["type"]?.stringValue ?? "", json["reason"]?.stringValue ?? "", name,
            involved?["fieldPath"]?.stringValue ?? "",
            json["source"]?["component"]?.stringValue ?? json["reportingComponent"]?.stringValue ?? "",
            message.split(whereSeparator: \.isNewline).joined(separator: " "), Table.age(first, now: now),
            "\(max(1, json["count"]?.intValue ?? 1))", object.name,
        ]
    }
}

/// The cells of Deployments and ReplicaSets (kubectl-wire 4).
enum WorkloadCells {
    static func deployment(_ object: KubeObject, age: String) -> [String] {
        let status = object.json["status"]
        func number(_ key: String) -> Int { status?[key]?.intValue ?? 0 }
        let wanted = object.json["spec"]?["replicas"]?.intValue ?? 1
        return [
            "\(number("readyReplicas"))/\(wanted)", "\(number("updatedReplicas"))", "\(number("availableReplicas"))",
            age,
        ] + containers(object)
    }

    static func replicaSet(_ object: KubeObject, age: String) -> [String] {
        let status = object.json["status"]
        let wanted = object.json["spec"]?["replicas"]?.intValue ?? 1
        return [
            "\(wanted)", "\(status?["replicas"]?.intValue ?? 0)", "\(status?["readyReplicas"]?.intValue ?? 0)", age,
        ] + containers(object)
    }

    /// The cells of a PodTemplate.
    static func template(_ object: KubeObject) -> [String] {
        let template = object.json["template"]
        let labels = template?["metadata"]?["labels"]?.stringMap ?? [:]
        return names(of: template) + [LabelSelector(equal: labels).description]
    }

    private static func containers(_ object: KubeObject) -> [String] {
        let labels = object.json["spec"]?["selector"]?["matchLabels"]?.stringMap ?? [:]
        return names(of: object.json["spec"]?["template"]) + [LabelSelector(equal: labels).description]
    }

    /// The names and the images of the containers of a pod template.
    private static func names(of template: JSONValue?) -> [String] {
        let all = template?["spec"]?["containers"]?.arrayValue ?? []
        func list(_ key: String) -> String { all.compactMap { $0[key]?.stringValue }.joined(separator: ",") }
        return [list("name"), list("image")]
    }
}
