/// The kinds of objects that the store keeps, named as in URLs.
package enum ResourceType: String, CaseIterable, Hashable, Comparable, Sendable {
    case configmaps
    case deployments
    case endpoints
    case endpointslices
    case events
    case leases
    case namespaces
    case nodes
    case persistentvolumeclaims
    case poddisruptionbudgets
    case pods
    case podtemplates
    case replicasets
    case secrets
    case serviceaccounts
    case services

    /// The kind in manifests, such as `EndpointSlice`.
    package var kind: String {
        switch self {
        case .configmaps: "ConfigMap"
        case .deployments: "Deployment"
        case .endpoints: "Endpoints"
        case .endpointslices: "EndpointSlice"
        case .events: "Event"
        case .leases: "Lease"
        case .namespaces: "Namespace"
        case .nodes: "Node"
        case .persistentvolumeclaims: "PersistentVolumeClaim"
        case .poddisruptionbudgets: "PodDisruptionBudget"
        case .pods: "Pod"
        case .podtemplates: "PodTemplate"
        case .replicasets: "ReplicaSet"
        case .secrets: "Secret"
        case .serviceaccounts: "ServiceAccount"
        case .services: "Service"
        }
    }

    /// The API group; empty for the core group.
    package var group: String {
        switch self {
        case .endpointslices: "discovery.k8s.io"
        case .deployments, .replicasets: "apps"
        case .leases: "coordination.k8s.io"
        case .poddisruptionbudgets: "policy"
        default: ""
        }
    }

    /// `v1`, or `group/v1`.
    package var apiVersion: String { group.isEmpty ? "v1" : "\(group)/v1" }

    package var isNamespaced: Bool { self != .namespaces && self != .nodes }

    /// The name as error messages show it: `services`, `endpointslices.discovery.k8s.io`.
    package var qualifiedName: String { group.isEmpty ? rawValue : "\(rawValue).\(group)" }

    /// nil for a kind that is not kept.
    package init?(apiVersion: String, kind: String) {
        guard let found = Self.byKind[kind], found.apiVersion == apiVersion else { return nil }
        self = found
    }

    private static let byKind = Dictionary(uniqueKeysWithValues: allCases.map { ($0.kind, $0) })

    package static func < (left: ResourceType, right: ResourceType) -> Bool { left.rawValue < right.rawValue }
}
