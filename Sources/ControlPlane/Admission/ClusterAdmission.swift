package import ClusterModel
import ClusterStore
import NetTypes
import Synchronization

/// Decides over all writes as an API server does: defaults, validation, addresses and ports.
package final class ClusterAdmission: Admission {
    private let networks: ClusterNetworks
    private let allocator: Mutex<ServiceAllocator>

    /// - Parameter random: where dynamic addresses and ports come from.
    package init(
        _ networks: ClusterNetworks, random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.networks = networks
        allocator = Mutex(ServiceAllocator(networks, random: random))
    }

    /// Notes the addresses and ports of Services that were stored by an earlier run.
    package func restore(_ services: [KubeObject]) {
        allocator.withLock { allocator in
            for service in services { allocator.restore(ServiceSpec(service.json["spec"])) }
        }
    }

    package func admit(_ object: inout KubeObject, replacing old: KubeObject?, isDryRun: Bool) throws(APIError) {
        MetadataRules.dropEmpty(&object)
        let errors = MetadataRules.errors(of: object, old: old)
        switch object.type {
        case .services: try admitService(&object, old, isDryRun, errors)
        case .pods:
            if old == nil { PodDefaults.begin(&object) }
            // Most writes are of the status; the spec was looked at when it came.
            guard object.json["spec"] != old?.json["spec"] || old == nil else { return try refuse(object, errors) }
            PodDefaults.fillIn(&object, old: old)
            let changes = old.map { PodUpdateRules.errors(of: object, old: $0) } ?? []
            try refuse(object, errors + PodRules.errors(of: object) + changes)
        case .endpointslices:
            EndpointSliceRules.fillInDefaults(&object)
            try refuse(
                object,
                errors + EndpointSliceRules.errors(of: object, old: old, podRanges: ownRanges(for: object)))
            EndpointSliceRules.setGeneration(&object, old: old)
        case .deployments, .replicasets:
            WorkloadRules.fillInDefaults(&object)
            try refuse(object, errors + WorkloadRules.errors(of: object, old: old))
            WorkloadRules.setGeneration(&object, old: old)
        case .podtemplates:
            WorkloadRules.fillInTemplate(&object)
            try refuse(object, errors)
        case .poddisruptionbudgets:
            DisruptionBudgetRules.begin(&object)
            try refuse(object, errors + DisruptionBudgetRules.errors(of: object, old: old))
            WorkloadRules.setGeneration(&object, old: old)
        case .persistentvolumeclaims:
            // What is stored already is not looked at again.
            try refuse(object, old == nil ? errors + ResourceRules.errors(ofClaim: object) : errors)
        case .events:
            try refuse(object, old == nil ? errors + namespaceErrors(ofEvent: object) : errors)
        case .leases: try refuse(object, errors + LeaseRules.errors(of: object))
        case .secrets:
            SecretDefaults.fillIn(&object)
            try refuse(object, errors + SettingsRules.errors(of: object, old: old))
        case .configmaps: try refuse(object, errors + SettingsRules.errors(of: object, old: old))
        case .endpoints:
            EndpointsRules.fillInDefaults(&object)
            try refuse(object, errors + EndpointsRules.errors(of: object, podRanges: ownRanges(for: object)))
        case .nodes: try refuse(object, errors + NodeRules.errors(of: object))
        default: try refuse(object, errors)
        }
    }

    package func released(_ object: KubeObject) {
        guard object.type == .services else { return }
        allocator.withLock { $0.release(ServiceSpec(object.json["spec"])) }
    }

    /// Where endpoints may point at even where it is loopback: everywhere, if it is us who say so.
    private func ownRanges(for object: KubeObject) -> [CIDR] {
        let isOurs =
            EndpointsMirror.isOurs(object) || SliceDocument.isOurs(object)
            || object.name == "kubernetes" && object.namespace == "default"
        return isOurs ? Self.everywhere : networks.podRanges
    }

    private static let everywhere = ["0.0.0.0/0", "::/0"].compactMap { CIDR($0) }

    private func namespaceErrors(ofEvent event: KubeObject) -> [FieldError] {
        let namespace = event.json["involvedObject"]?["namespace"]?.stringValue ?? ""
        guard !namespace.isEmpty, namespace != event.namespace else { return [] }
        return [.invalid("involvedObject.namespace", namespace, "does not match event.namespace")]
    }

    private func refuse(_ object: KubeObject, _ errors: [FieldError]) throws(APIError) {
        if !errors.isEmpty { throw .invalid(object, errors) }
    }

    private func admitService(
        _ object: inout KubeObject, _ old: KubeObject?, _ isDryRun: Bool, _ metadataErrors: [FieldError]
    ) throws(APIError) {
        var spec = ServiceSpec(object.json["spec"])
        let oldSpec = old.map { ServiceSpec($0.json["spec"]) }
        if let oldSpec {
            spec.keepAllocated(from: oldSpec)
            spec.dropTypeDependentFields(of: oldSpec)
        }
        spec.fillInDefaults()
        let familyErrors = spec.settleFamilies(cluster: networks.families, old: oldSpec)
        // The API server settles these before it looks at the rest.
        if !spec.isExternalName { try refuse(object, familyErrors) }
        var errors = metadataErrors + ServiceAnnotationRules.errors(of: object)
        errors += spec.validationErrors(old: oldSpec, familyErrors: familyErrors)
        LoadBalancerStatus.fillInDefaults(&object)
        if object.json["status"] != old?.json["status"], old != nil {
            errors += LoadBalancerStatus.errors(of: object)
        }
        try refuse(object, errors)
        let named = object
        let result = allocator.withLock { allocator -> Result<ServiceSpec, APIError> in
            var filled = spec
            do throws(APIError) {
                try allocator.allocate(named, &filled, old: oldSpec, keeps: !isDryRun)
                return .success(filled)
            } catch {
                return .failure(error)
            }
        }
        object.json["spec"] = try result.get().json
        if old == nil || spec.type != "LoadBalancer" {
            object.json["status"]?["loadBalancer"] = [:]
            if old == nil || object.json["status"] == nil { object.json["status"] = ["loadBalancer": [:]] }
        }
    }
}
