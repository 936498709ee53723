import ClusterModel

/// Who has written an object that nobody watches over, told from what is in it.
///
/// | what it has | who |
/// |---|---|
/// | kubectl's annotation of a client-side apply | `kubectl-client-side-apply`, which kubectl migrates |
/// | the annotation of a manifest file | `kiada-manifests` |
/// | an owner that is a controller, or a label of one | `kube-controller-manager` |
/// | nothing of these | unknown |
enum Author {
    static let clientSideApply = "kubectl-client-side-apply"
    static let manifests = "kiada-manifests"
    static let controllers = "kube-controller-manager"

    /// Names the manifest file that an object comes from.
    private static let manifestAnnotation = "kiada.dev/manifest"
    private static let controllerLabel = "endpointslice.kubernetes.io/managed-by"

    static func name(of object: JSONValue) -> String? {
        let metadata = object["metadata"]
        if metadata?["annotations"]?[FieldOwnership.lastApplied] != nil { return clientSideApply }
        if metadata?["annotations"]?[manifestAnnotation] != nil { return manifests }
        let isControlled = (metadata?["ownerReferences"]?.arrayValue ?? []).contains { $0["controller"] == true }
        if isControlled || metadata?["labels"]?[controllerLabel]?.stringValue?.hasSuffix(".k8s.io") ?? false {
            return controllers
        }
        return nil
    }
}
