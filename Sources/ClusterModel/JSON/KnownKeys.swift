/// The keys of Kubernetes objects that do not fit into a `String` itself (more than 15 bytes).
///
/// 100,000 pods that each hold their own copy of `lastTransitionTime` would waste tens of megabytes; the parser takes
/// the shared copy instead.
enum KnownKeys {
    private static let known: Set<String> = [
        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "lastTransitionTime",
        "containerStatuses", "initContainerStatuses", "terminationMessagePath", "terminationMessagePolicy",
        "terminationGracePeriodSeconds", "serviceAccountName", "automountServiceAccountToken", "enableServiceLinks",
        "internalTrafficPolicy", "externalTrafficPolicy", "sessionAffinityConfig", "publishNotReadyAddresses",
        "allocateLoadBalancerNodePorts", "loadBalancerSourceRanges", "healthCheckNodePort", "blockOwnerDeletion",
        "observedGeneration", "initialDelaySeconds", "successThreshold", "failureThreshold", "persistentVolumeClaim",
        "preemptionPolicy", "tolerationSeconds", "topologySpreadConstraints", "priorityClassName",
        "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/part-of",
        "kubernetes.io/service-name", "endpointslice.kubernetes.io/managed-by",
        "endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration",
        "topology.kubernetes.io/zone", "kubernetes.io/metadata.name", "kubernetes.io/hostname",
    ]

    /// The shared copy of `key`, or `key` itself when it is short or not known.
    static func shared(_ key: String) -> String {
        guard key.utf8.count > 15, let index = known.firstIndex(of: key) else { return key }
        return known[index]
    }
}
