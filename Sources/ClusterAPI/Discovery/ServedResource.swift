import ClusterModel

/// One kind that the API serves, with its names (kubectl-wire 2).
struct ServedResource: Sendable {
    struct Subresource: Sendable {
        let name: String
        let group: String
        let version: String
        let kind: String
        let verbs: [String]

        init(_ name: String, kind: String, group: String = "", version: String = "", _ verbs: [String]) {
            self.name = name
            self.group = group
            self.version = version
            self.kind = kind
            self.verbs = verbs
        }
    }

    /// nil for reviews, which are answered and not kept.
    let type: ResourceType?
    let group: String
    let name: String
    let singular: String
    let shortNames: [String]
    let kind: String
    let isNamespaced: Bool
    let verbs: [String]
    let categories: [String]
    let subresources: [Subresource]

    private static let all = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    /// Of what is passed on, whatever it is.
    private static let everything = ["create", "delete", "get", "patch", "update"]
    private static let scale = Subresource(
        "scale", kind: "Scale", group: "autoscaling", version: "v1", ["get", "patch", "update"])
    private static let status = Subresource("status", kind: "", ["get", "patch", "update"])

    private init(
        _ type: ResourceType, _ singular: String, short: [String] = [], categories: [String] = [],
        verbs: [String] = all, _ subresources: [Subresource] = []
    ) {
        self.type = type
        group = type.group
        name = type.rawValue
        self.singular = singular
        shortNames = short
        kind = type.kind
        isNamespaced = type.isNamespaced
        self.verbs = verbs
        self.categories = categories
        self.subresources = subresources
    }

    /// The newer shape of events; they are written in the older one.
    private init(newEvents verbs: [String]) {
        type = .events
        group = EventShape.newGroup
        name = "events"
        singular = "event"
        shortNames = ["ev"]
        kind = "Event"
        isNamespaced = true
        self.verbs = verbs
        categories = []
        subresources = []
    }

    private init(review name: String, _ singular: String, kind: String, group: String, isNamespaced: Bool = false) {
        type = nil
        self.group = group
        self.name = name
        self.singular = singular
        shortNames = []
        self.kind = kind
        self.isNamespaced = isNamespaced
        verbs = ["create"]
        categories = []
        subresources = []
    }

    /// Everything, in the order of discovery.
    static let served: [ServedResource] = [
        ServedResource(.configmaps, "configmap", short: ["cm"]),
        ServedResource(.endpoints, "endpoints", short: ["ep"]),
        ServedResource(.events, "event", short: ["ev"]),
        ServedResource(
            .namespaces, "namespace", short: ["ns"], verbs: all.filter { $0 != "deletecollection" },
            [Subresource("finalize", kind: "", ["update"]), status]),
        ServedResource(.nodes, "node", short: ["no"], [status]),
        ServedResource(.persistentvolumeclaims, "persistentvolumeclaim", short: ["pvc"], [status]),
        ServedResource(
            .pods, "pod", short: ["po"], categories: ["all"],
            [
                status, Subresource("log", kind: "", ["get"]),
                Subresource("attach", kind: "PodAttachOptions", version: "v1", ["create", "get"]),
                Subresource("binding", kind: "Binding", version: "v1", ["create"]),
                Subresource("eviction", kind: "Eviction", group: "policy", version: "v1", ["create"]),
                Subresource("exec", kind: "PodExecOptions", version: "v1", ["create", "get"]),
                Subresource("portforward", kind: "PodPortForwardOptions", version: "v1", ["create", "get"]),
                Subresource("proxy", kind: "PodProxyOptions", version: "v1", everything),
            ]),
        ServedResource(.podtemplates, "podtemplate"),
        ServedResource(.secrets, "secret"),
        ServedResource(.serviceaccounts, "serviceaccount", short: ["sa"]),
        ServedResource(
            .services, "service", short: ["svc"], categories: ["all"],
            [Subresource("proxy", kind: "ServiceProxyOptions", version: "v1", everything), status]),
        ServedResource(.deployments, "deployment", short: ["deploy"], categories: ["all"], [status, scale]),
        ServedResource(.replicasets, "replicaset", short: ["rs"], categories: ["all"], [status, scale]),
        ServedResource(.endpointslices, "endpointslice"),
        ServedResource(.leases, "lease"),
        ServedResource(newEvents: all),
        ServedResource(.poddisruptionbudgets, "poddisruptionbudget", short: ["pdb"], [status]),
        ServedResource(
            review: "selfsubjectreviews", "selfsubjectreview", kind: "SelfSubjectReview", group: "authentication.k8s.io"
        ),
        ServedResource(
            review: "localsubjectaccessreviews", "localsubjectaccessreview", kind: "LocalSubjectAccessReview",
            group: "authorization.k8s.io", isNamespaced: true),
        ServedResource(
            review: "selfsubjectaccessreviews", "selfsubjectaccessreview", kind: "SelfSubjectAccessReview",
            group: "authorization.k8s.io"),
        ServedResource(
            review: "selfsubjectrulesreviews", "selfsubjectrulesreview", kind: "SelfSubjectRulesReview",
            group: "authorization.k8s.io"),
        ServedResource(
            review: "subjectaccessreviews", "subjectaccessreview", kind: "SubjectAccessReview",
            group: "authorization.k8s.io"),
    ]

    /// The groups with a name, in the order of discovery.
    static var groups: [String] {
        var groups: [String] = []
        for resource in served where !resource.group.isEmpty && !groups.contains(resource.group) {
            groups.append(resource.group)
        }
        return groups
    }

    static func served(in group: String) -> [ServedResource] { served.filter { $0.group == group } }

    static func find(group: String, name: String) -> ServedResource? {
        served.first { $0.group == group && $0.name == name }
    }

    /// `v1`, or `group/v1`.
    var groupVersion: String { group.isEmpty ? "v1" : "\(group)/v1" }
}
