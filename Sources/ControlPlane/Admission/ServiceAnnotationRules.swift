import ClusterModel

/// The rules for annotations of a Service that mean something (semantics 2.1).
enum ServiceAnnotationRules {
    private static let mode = "service.kubernetes.io/topology-mode"
    private static let hints = "service.kubernetes.io/topology-aware-hints"

    static func errors(of service: KubeObject) -> [FieldError] {
        let annotations = service.annotations
        guard let mode = annotations[Self.mode], let hints = annotations[Self.hints], mode != hints else { return [] }
        return [
            .invalid(
                "metadata.annotations[\(Self.mode)]", mode,
                "must match annotations[\(Self.hints)] when both are specified")
        ]
    }
}
