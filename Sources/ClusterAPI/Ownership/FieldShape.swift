import ClusterModel

/// How a value is owned: whole, or part by part (kubectl-wire 9).
///
/// By the name of a field and of what it is in, which is enough for the kinds that are served: mappings with names of the
/// user's own (labels, data) hold nothing but texts.
enum FieldShape: Equatable {
    /// As a whole: texts and numbers, and mappings and lists that have only one owner.
    case whole
    /// Member by member.
    case members
    /// Item by item; items are told apart by these members.
    case items(keys: [String])
    /// Item by item; an item is told apart by its value.
    case set

    init(_ value: JSONValue, _ name: String, in parent: String) {
        switch value {
        case .null, .bool, .integer, .number, .string: self = .whole
        case .object: self = Self.isWhole(name, in: parent) ? .whole : .members
        case .array: self = Self.list(name, in: parent)
        }
    }

    private static func isWhole(_ name: String, in parent: String) -> Bool {
        switch (parent, name) {
        case ("spec", "selector"), (_, "labelSelector"), (_, "nodeSelector"), (_, "namespaceSelector"),
            (_, "fieldRef"), (_, "resourceFieldRef"), (_, "configMapKeyRef"), (_, "secretKeyRef"), (_, "secretRef"),
            (_, "targetRef"), (_, "claimRef"), (_, "involvedObject"),
            (_, "requiredDuringSchedulingIgnoredDuringExecution"):
            true
        default: false
        }
    }

    private static func list(_ name: String, in parent: String) -> FieldShape {
        switch (parent, name) {
        case ("containers", "ports"), ("initContainers", "ports"), ("ephemeralContainers", "ports"):
            .items(keys: ["containerPort", "protocol"])
        case ("spec", "ports"): .items(keys: ["port", "protocol"])
        case ("spec", "containers"), ("spec", "initContainers"), ("spec", "ephemeralContainers"), ("spec", "volumes"),
            (_, "env"), ("spec", "imagePullSecrets"), ("spec", "schedulingGates"), ("spec", "resourceClaims"),
            ("resources", "claims"), ("", "secrets"):
            .items(keys: ["name"])
        case (_, "volumeMounts"): .items(keys: ["mountPath"])
        case (_, "volumeDevices"): .items(keys: ["devicePath"])
        case ("spec", "hostAliases"), ("status", "podIPs"): .items(keys: ["ip"])
        case ("spec", "topologySpreadConstraints"): .items(keys: ["topologyKey", "whenUnsatisfiable"])
        case ("status", "conditions"), ("status", "addresses"): .items(keys: ["type"])
        case ("metadata", "ownerReferences"): .items(keys: ["uid"])
        case ("metadata", "finalizers"), ("spec", "podCIDRs"): .set
        default: .whole
        }
    }

    /// Mappings and lists of these kinds vanish with their last part; others stay, empty.
    static func vanishesEmpty(_ value: JSONValue, _ name: String) -> Bool {
        switch value {
        case .array: true
        case .object:
            ["labels", "annotations", "data", "binaryData", "limits", "requests", "overhead"].contains(name)
        default: false
        }
    }

    /// What an item is told apart by; nil when it lacks a key that has no default.
    func step(of item: JSONValue) -> FieldStep? {
        switch self {
        case .whole, .members: return nil
        case .set: return .value(item)
        case .items(let keys):
            var values: [String: JSONValue] = [:]
            for key in keys {
                guard let value = item[key] ?? (key == "protocol" ? "TCP" : nil) else { return nil }
                values[key] = value
            }
            return .key(values)
        }
    }
}
