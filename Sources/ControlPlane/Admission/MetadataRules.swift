import ClusterModel

/// The rules for `metadata` of every kind (semantics 1.1).
enum MetadataRules {
    private static let largestAnnotations = 262_144

    static func errors(of object: KubeObject) -> [FieldError] {
        var errors: [FieldError] = []
        if let problem = nameProblem(object) { errors.append(.invalid("metadata.name", object.name, problem)) }
        for (key, value) in object.labels.sorted(by: { $0.key < $1.key }) {
            if let problem = NameRules.qualifiedName(key) { errors.append(.invalid("metadata.labels", key, problem)) }
            if let problem = NameRules.labelValue(value) { errors.append(.invalid("metadata.labels", value, problem)) }
        }
        var size = 0
        for (key, value) in object.annotations.sorted(by: { $0.key < $1.key }) {
            size += key.utf8.count + value.utf8.count
            if let problem = NameRules.qualifiedName(key.lowercased()) {
                errors.append(.invalid("metadata.annotations", key, problem))
            }
        }
        if size > largestAnnotations {
            errors.append(
                .invalid("metadata.annotations", size, "may not be more than \(largestAnnotations) bytes"))
        }
        for key in ["labels", "annotations"] {
            for (name, value) in (object.json["metadata"]?[key]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key })
            where value.stringValue == nil {
                errors.append(
                    .invalid("metadata.\(key).\(name)", json: value, "must be a string (put it in quotes)"))
            }
        }
        return errors
    }

    private static func nameProblem(_ object: KubeObject) -> String? {
        switch object.type {
        case .services: NameRules.dns1035Label(object.name)
        case .namespaces: NameRules.dns1123Label(object.name)
        case .events: nil
        default: NameRules.dns1123Subdomain(object.name)
        }
    }
}
