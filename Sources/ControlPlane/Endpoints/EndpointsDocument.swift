import ClusterModel
import NetTypes

/// The v1 Endpoints object of a Service, from its pods (semantics 3.7).
enum EndpointsDocument {
    static let mostAddresses = 1000
    private static let headlessLabel = "service.kubernetes.io/headless"
    private static let overCapacity = "endpoints.kubernetes.io/over-capacity"

    private struct Address {
        let ip: String
        let uid: String
        let json: JSONValue
        let isReady: Bool
    }

    /// The object, made from what `existing` has besides; the same as `existing` when it says all that already.
    ///
    /// - Parameter trigger: when what is new came about, in seconds since 1970.
    static func object(
        of service: Service, pods: [EndpointPod], existing: KubeObject?, trigger: Int64? = nil
    ) -> KubeObject {
        var object = existing ?? KubeObject(.endpoints, namespace: service.namespace, name: service.name)
        var labels = service.object.labels
        if service.clusterAddresses.isEmpty { labels[headlessLabel] = "" }
        if object.labels != labels { object.labels = labels }
        let family = service.ipFamilies.first ?? .v4
        var groups: [[SlicePort]: [Address]] = [:]
        for pod in pods {
            guard !pod.isOver,
                let address = pod.addresses.first(where: { $0.family == family })
            else { continue }
            // Pods that end are in slices only, unless those that are not ready are published (3.2).
            if pod.isTerminating, !service.publishNotReadyAddresses { continue }
            let ports = EndpointRules.ports(of: pod, for: service)
            if ports.isEmpty, !service.ports.isEmpty { continue }
            groups[ports, default: []].append(self.address(address, pod, service))
        }
        let count = groups.values.reduce(0) { $0 + $1.count }
        if count > mostAddresses { truncate(&groups) }
        if (object.annotations[overCapacity] != nil) != (count > mostAddresses) {
            object.annotations[overCapacity] = count > mostAddresses ? "truncated" : nil
        }
        let subsets = groups.sorted { isFirst($0, $1) }.map { subset($0.key, $0.value) }
        object.json["subsets"] = subsets.isEmpty ? nil : .array(subsets)
        if object != existing { TriggerTimes.annotate(&object, trigger) }
        return object
    }

    private static func address(_ address: IPAddress, _ pod: EndpointPod, _ service: Service) -> Address {
        var json: JSONValue = [
            "ip": .string(address.description),
            "targetRef": [
                "kind": "Pod", "namespace": .string(pod.namespace), "name": .string(pod.name), "uid": .string(pod.uid),
            ],
        ]
        json["nodeName"] = pod.nodeName.map { .string($0) }
        if let hostname = pod.hostname, pod.subdomain == service.name { json["hostname"] = .string(hostname) }
        return Address(
            ip: address.description, uid: pod.uid, json: json,
            isReady: pod.isServing || service.publishNotReadyAddresses)
    }

    /// Ready ones first.
    private static func truncate(_ groups: inout [[SlicePort]: [Address]]) {
        var room = mostAddresses
        for isReady in [true, false] {
            for key in groups.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                let all = groups[key] ?? []
                let kept = all.filter { $0.isReady == isReady }.prefix(room)
                room -= kept.count
                groups[key] = all.filter { $0.isReady != isReady } + kept
            }
        }
    }

    private static func subset(_ ports: [SlicePort], _ addresses: [Address]) -> JSONValue {
        let sorted = addresses.sorted { ($0.ip, $0.uid) < ($1.ip, $1.uid) }
        var json: JSONValue = [:]
        let ready = sorted.filter(\.isReady).map(\.json)
        let others = sorted.filter { !$0.isReady }.map(\.json)
        if !ready.isEmpty { json["addresses"] = .array(ready) }
        if !others.isEmpty { json["notReadyAddresses"] = .array(others) }
        if !ports.isEmpty {
            json["ports"] = .array(
                ports.map { port in
                    var json = port.json
                    if port.name.isEmpty { json["name"] = nil }
                    return json
                })
        }
        return json
    }

    private static func isFirst(_ left: ([SlicePort], [Address]), _ right: ([SlicePort], [Address])) -> Bool {
        left.0 == right.0
            ? (left.1.first?.ip ?? "") < (right.1.first?.ip ?? "") : left.0.lexicographicallyPrecedes(right.0)
    }
}
