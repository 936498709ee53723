import ClusterModel

/// The rules for `metadata` of every kind (semantics 1.1).
enum MetadataRules {
    private static let largestAnnotations = 262_144

    static func errors(of object: KubeObject) -> [FieldError] {
        var errors: [FieldError] = []
        errors += FieldError.invalid("metadata.name", object.name, problems: nameProblems(object))
        for (key, value) in object.labels.sorted(by: { $0.key < $1.key }) {
            errors += FieldError.invalid("metadata.labels", key, problems: NameRules.qualifiedName(key))
            errors += FieldError.invalid("metadata.labels", value, problems: NameRules.labelValue(value))
        }
        var size = 0
        for (key, value) in object.annotations.sorted(by: { $0.key < $1.key }) {
            size += key.utf8.count + value.utf8.count
            errors += FieldError.invalid(
                "metadata.annotations", key, problems: NameRules.qualifiedName(key.lowercased()))
        }
        if size > largestAnnotations { errors.append(.tooLong("metadata.annotations", most: largestAnnotations)) }
        for key in ["labels", "annotations"] {
            for (name, value) in (object.json["metadata"]?[key]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key })
            where value.stringValue == nil {
                errors.append(
                    .invalid("metadata.\(key).\(name)", json: value, "must be a string (put it in quotes)"))
            }
        }
        return errors
    }

    private static func nameProblems(_ object: KubeObject) -> [String] {
        switch object.type {
        case .services: NameRules.dns1035Label(object.name)
        case .namespaces: NameRules.dns1123Label(object.name)
        case .events: []
        default: NameRules.dns1123Subdomain(object.name)
        }
    }
}
