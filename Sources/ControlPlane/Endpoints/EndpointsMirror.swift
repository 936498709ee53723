import ClusterModel
import NetTypes

/// The slices that mirror an Endpoints object which a user wrote (semantics 3.9).
enum EndpointsMirror {
    static let manager = "endpointslicemirroring-controller.k8s.io"
    private static let skipLabel = "endpointslice.kubernetes.io/skip-mirror"
    private static let leaderAnnotation = "control-plane.alpha.kubernetes.io/leader"
    private static let mostAddresses = 1000
    private static let droppedAnnotations: Set<String> = [
        "endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration",
    ]

    static func isOurs(_ slice: KubeObject) -> Bool { slice.labels[EndpointSlice.managedByLabel] == manager }

    static func isMirrored(_ endpoints: KubeObject) -> Bool {
        endpoints.labels[skipLabel] != "true" && endpoints.annotations[leaderAnnotation] == nil
    }

    /// One slice per subset and family, without names.
    static func slices(of endpoints: KubeObject) -> [KubeObject] {
        (endpoints.json["subsets"]?.arrayValue ?? []).flatMap { subset in
            IPFamily.allCases.compactMap { slice(of: subset, $0, endpoints) }
        }
    }

    private static func slice(of subset: JSONValue, _ family: IPFamily, _ endpoints: KubeObject) -> KubeObject? {
        func entries(_ key: String, isReady: Bool) -> [JSONValue] {
            (subset[key]?.arrayValue ?? []).compactMap { address in
                guard let ip = address["ip"]?.stringValue, IPAddress(ip)?.family == family else { return nil }
                var entry: JSONValue = ["addresses": [.string(ip)], "conditions": ["ready": .bool(isReady)]]
                for key in ["hostname", "nodeName", "targetRef"] { entry[key] = address[key] }
                return entry
            }
        }
        let all = (entries("addresses", isReady: true) + entries("notReadyAddresses", isReady: false))
            .prefix(mostAddresses)
        guard !all.isEmpty else { return nil }
        var slice = KubeObject(.endpointslices, namespace: endpoints.namespace, name: "")
        slice.json["metadata"]?["name"] = nil
        slice.json["metadata"]?["generateName"] = .string("\(endpoints.name)-")
        slice.ownerReferences = [OwnerReference(controller: endpoints)]
        var labels = endpoints.labels
        labels[EndpointSlice.serviceNameLabel] = endpoints.name
        labels[EndpointSlice.managedByLabel] = manager
        slice.labels = labels
        slice.annotations = endpoints.annotations.filter { !droppedAnnotations.contains($0.key) }
        slice.json["addressType"] = .string(family.rawValue)
        slice.json["endpoints"] = .array(Array(all))
        slice.json["ports"] = .array(
            (subset["ports"]?.arrayValue ?? []).map { port in
                var port = port
                port["name"] = .string(port["name"]?.stringValue ?? "")
                port["protocol"] = .string(port["protocol"]?.stringValue ?? "TCP")
                return port
            })
        return slice
    }
}
