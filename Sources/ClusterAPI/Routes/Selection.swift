import ClusterModel

/// Which objects of a collection a request is about.
struct Selection: Sendable {
    let type: ResourceType
    let namespace: String
    /// The API group that was asked, which may have another shape of the type.
    let group: String
    private let labels: LabelSelector?
    private let fields: FieldSelector?

    init(_ path: ResourcePath, type: ResourceType, _ query: Query) throws(APIError) {
        self.type = type
        namespace = path.namespace
        group = path.resource.group
        do throws(LabelSelector.ParseError) {
            labels = try query["labelSelector"].flatMap { $0.isEmpty ? nil : $0 }.map {
                text throws(LabelSelector.ParseError) in
                try LabelSelector(parsing: text)
            }
        } catch {
            throw APIError(.badRequest, error.description)
        }
        if let text = query["fieldSelector"], !text.isEmpty {
            fields = try FieldSelector(parsing: text, for: type)
        } else {
            fields = nil
        }
    }

    /// Every object of the type and namespace is meant.
    var isEverything: Bool { labels == nil && fields == nil }

    func matches(_ object: KubeObject) -> Bool {
        (namespace.isEmpty || object.namespace == namespace) && (labels?.matches(object.labels) ?? true)
            && (fields?.matches(object) ?? true)
    }
}
