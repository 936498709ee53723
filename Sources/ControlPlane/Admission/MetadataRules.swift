import ClusterModel

/// The rules for `metadata` of every kind (semantics 1.1).
enum MetadataRules {
    private static let largestAnnotations = 262_144

    private static let orphan = DeletionPropagation.orphanFinalizer
    private static let foreground = DeletionPropagation.foregroundFinalizer
    private static let standardFinalizers = ["kubernetes", orphan, foreground]

    static func errors(of object: KubeObject, old: KubeObject? = nil) -> [FieldError] {
        var errors: [FieldError] = []
        errors += FieldError.invalid("metadata.name", object.name, problems: nameProblems(object))
        let metadata = object.json["metadata"]
        let labels = metadata?["labels"]?.objectValue ?? [:]
        let annotations = metadata?["annotations"]?.objectValue ?? [:]
        // Most objects have nothing wrong; only for words is there an order to be made.
        if !labels.allSatisfy({ isFineLabel($0.key, $0.value) })
            || !annotations.allSatisfy({ isFineAnnotation($0.key, $0.value) })
        {
            errors += textErrors(object, labels, annotations)
        }
        if size(annotations) > largestAnnotations {
            errors.append(.tooLong("metadata.annotations", most: largestAnnotations))
        }
        return errors + ownerErrors(object) + finalizerErrors(object, old: old)
    }

    private static func isFineLabel(_ key: String, _ value: JSONValue) -> Bool {
        guard let text = value.stringValue else { return false }
        return NameRules.qualifiedName(key).isEmpty && NameRules.labelValue(text).isEmpty
    }

    private static func isFineAnnotation(_ key: String, _ value: JSONValue) -> Bool {
        value.stringValue != nil && NameRules.qualifiedName(key.lowercased()).isEmpty
    }

    private static func textErrors(
        _ object: KubeObject, _ labels: [String: JSONValue], _ annotations: [String: JSONValue]
    ) -> [FieldError] {
        var errors: [FieldError] = []
        for (key, value) in object.labels.sorted(by: { $0.key < $1.key }) {
            errors += FieldError.invalid("metadata.labels", key, problems: NameRules.qualifiedName(key))
            errors += FieldError.invalid("metadata.labels", value, problems: NameRules.labelValue(value))
        }
        for key in object.annotations.keys.sorted() {
            errors += FieldError.invalid(
                "metadata.annotations", key, problems: NameRules.qualifiedName(key.lowercased()))
        }
        for (field, texts) in [("labels", labels), ("annotations", annotations)] {
            for (name, value) in texts.sorted(by: { $0.key < $1.key }) where value.stringValue == nil {
                errors.append(
                    .invalid("metadata.\(field).\(name)", json: value, "must be a string (put it in quotes)"))
            }
        }
        return errors
    }

    /// Octets of keys and values.
    private static func size(_ annotations: [String: JSONValue]) -> Int {
        annotations.reduce(0) { $0 + $1.key.utf8.count + ($1.value.stringValue?.utf8.count ?? 0) }
    }

    /// Takes away lists and maps in which there is nothing, as an API server keeps none.
    static func dropEmpty(_ object: inout KubeObject) {
        for key in ["labels", "annotations", "finalizers", "ownerReferences"] {
            guard let value = object.json["metadata"]?[key] else { continue }
            if value == .null || value.objectValue?.isEmpty == true || value.arrayValue?.isEmpty == true {
                object.json["metadata"]?[key] = nil
            }
        }
    }

    private static func ownerErrors(_ object: KubeObject) -> [FieldError] {
        let path = "metadata.ownerReferences"
        let owners = object.json["metadata"]?["ownerReferences"]?.arrayValue ?? []
        var errors: [FieldError] = []
        for owner in owners {
            for key in ["apiVersion", "kind", "name", "uid"] where (owner[key]?.stringValue ?? "").isEmpty {
                let detail = key == "apiVersion" ? "version must not be empty" : "must not be empty"
                errors.append(.invalid("\(path).\(key)", "", detail))
            }
        }
        let controllers = owners.filter { $0["controller"]?.boolValue == true }
        if controllers.count > 1 {
            let names = controllers.prefix(2).map { $0["name"]?.stringValue ?? "" }.joined(separator: " and ")
            errors.append(
                .invalid(
                    path, json: .array(owners),
                    "Only one reference can have Controller set to true. Found \"true\" in references for \(names)"))
        }
        return errors
    }

    private static func finalizerErrors(_ object: KubeObject, old: KubeObject?) -> [FieldError] {
        let finalizers = object.finalizers
        guard !finalizers.isEmpty else { return [] }
        var errors: [FieldError] = []
        for name in finalizers {
            errors += FieldError.invalid("metadata.finalizers", name, problems: NameRules.qualifiedName(name))
        }
        if finalizers.contains(orphan), finalizers.contains(foreground) {
            errors.append(
                .invalid(
                    "metadata.finalizers", finalizers,
                    "finalizer orphan and foregroundDeletion cannot be both set"))
        }
        for (index, name) in finalizers.enumerated() where !name.contains("/") && !standardFinalizers.contains(name) {
            errors.append(
                .invalid(
                    "metadata.finalizers[\(index)]", name,
                    "name is neither a standard finalizer name nor is it fully qualified"))
        }
        if let old, old.deletionTimestamp != nil {
            let new = finalizers.filter { !old.finalizers.contains($0) }
            if !new.isEmpty {
                let list = new.map(FieldError.quoted).joined(separator: ", ")
                errors.append(
                    .forbidden(
                        "metadata.finalizers",
                        "no new finalizers can be added if the object is being deleted, found new finalizers "
                            + "[]string{\(list)}"))
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
