import ClusterModel
import NetTypes

/// The EndpointSlice object that a draft becomes (semantics 1.5, 3.6).
enum SliceDocument {
    /// Who writes our slices.
    static let manager = "endpointslice-controller.k8s.io"
    private static let headlessLabel = "service.kubernetes.io/headless"

    /// - Parameter trigger: when what is new came about, in seconds since 1970.
    static func object(_ draft: SlicePacking.Draft, of service: Service, trigger: Int64? = nil) -> KubeObject {
        var object = draft.existing ?? KubeObject(.endpointslices, namespace: service.namespace, name: "")
        if draft.existing == nil {
            // The dash is left out where it would make the prefix too long for a name.
            let base = service.name.utf8.count < 58 ? "\(service.name)-" : service.name
            object.json["metadata"]?["name"] = nil
            object.json["metadata"]?["generateName"] = .string(base)
            object.ownerReferences = [OwnerReference(controller: service.object)]
        }
        object.json["addressType"] = .string(draft.group.family.rawValue)
        object.json["ports"] = .array(draft.group.ports.map(\.json))
        object.json["endpoints"] = .array(draft.endpoints)
        object.labels = labels(of: service)
        TriggerTimes.annotate(&object, trigger)
        return object
    }

    static func labels(of service: Service) -> [String: String] {
        var labels = service.object.labels
        labels[headlessLabel] = service.clusterAddresses.isEmpty ? "" : nil
        labels[EndpointSlice.serviceNameLabel] = service.name
        labels[EndpointSlice.managedByLabel] = manager
        return labels
    }

    /// Made by us for this very Service, not for an earlier one of the same name.
    static func isOwned(_ slice: KubeObject, by service: Service) -> Bool {
        slice.ownerReferences.contains { $0.kind == "Service" && $0.uid == service.object.uid }
    }

    static func isOurs(_ slice: KubeObject) -> Bool { slice.labels[EndpointSlice.managedByLabel] == manager }
}
