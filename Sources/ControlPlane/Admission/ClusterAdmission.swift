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
        let errors = MetadataRules.errors(of: object)
        switch object.type {
        case .services: try admitService(&object, old, isDryRun, errors)
        case .pods:
            PodDefaults.fillIn(&object, old: old)
            try refuse(object, errors + PodRules.errors(of: object))
        case .endpointslices:
            try refuse(object, errors + EndpointSliceRules.errors(of: object, old: old))
            EndpointSliceRules.setGeneration(&object, old: old)
        case .deployments, .replicasets:
            WorkloadRules.fillInDefaults(&object)
            try refuse(object, errors + WorkloadRules.errors(of: object, old: old))
            WorkloadRules.setGeneration(&object, old: old)
        case .secrets:
            SecretDefaults.fillIn(&object)
            try refuse(object, errors)
        case .endpoints:
            EndpointsRules.fillInDefaults(&object)
            try refuse(object, errors + EndpointsRules.errors(of: object, podRanges: networks.podRanges))
        default: try refuse(object, errors)
        }
    }

    package func released(_ object: KubeObject) {
        guard object.type == .services else { return }
        allocator.withLock { $0.release(ServiceSpec(object.json["spec"])) }
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
        var errors = metadataErrors
        errors += spec.settleFamilies(cluster: networks.families, old: oldSpec)
        errors += spec.validationErrors(old: oldSpec)
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
            object.json["status"] = ["loadBalancer": [:]]
        }
    }
}
