import ClusterModel

/// The rules for what a container may use and asks for, and for a claim's storage, in the API server's words.
enum ResourceRules {
    /// Of a container.
    static func errors(of container: JSONValue, at path: String) -> [FieldError] {
        let limits = container["resources"]?["limits"]?.objectValue ?? [:]
        let requests = container["resources"]?["requests"]?.objectValue ?? [:]
        var errors: [FieldError] = []
        for (list, amounts) in [("limits", limits), ("requests", requests)] {
            for (name, amount) in amounts.sorted(by: { $0.key < $1.key }) {
                if let quantity = Quantity(amount), quantity.milli < 0 {
                    errors.append(
                        .invalid(
                            "\(path).resources.\(list)[\(name)]", text(amount), "must be greater than or equal to 0"))
                }
            }
        }
        for (name, amount) in requests.sorted(by: { $0.key < $1.key }) {
            guard let request = Quantity(amount), let json = limits[name], let limit = Quantity(json), request > limit
            else { continue }
            errors.append(
                .invalid(
                    "\(path).resources.requests", text(amount),
                    "must be less than or equal to \(name) limit of \(text(json))"))
        }
        return errors
    }

    private static func text(_ amount: JSONValue) -> String { amount.stringValue ?? amount.serializedText() }

    private static let accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]

    /// Of a PersistentVolumeClaim.
    static func errors(ofClaim claim: KubeObject) -> [FieldError] {
        let spec = claim.json["spec"]
        var errors: [FieldError] = []
        let modes = spec?["accessModes"]?.arrayValue ?? []
        if modes.isEmpty { errors.append(.required("spec.accessModes", "at least 1 access mode is required")) }
        for mode in modes.compactMap(\.stringValue) where !accessModes.contains(mode) {
            errors.append(.unsupported("spec.accessModes", mode, supported: accessModes))
        }
        if spec?["resources"]?["requests"]?["storage"] == nil { errors.append(.required("spec.resources[storage]")) }
        return errors
    }
}
