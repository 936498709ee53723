/// Which nodes a pod may have, and which it would rather have: `nodeSelector` and `affinity.nodeAffinity`.
package struct NodeAffinity: Hashable, Sendable {
    /// Requirements of which all have to hold; without any, nothing matches.
    struct Term: Hashable, Sendable {
        let labels: [Requirement]
        let fields: [Requirement]

        init(_ json: JSONValue) {
            labels = (json["matchExpressions"]?.arrayValue ?? []).map(Requirement.init)
            fields = (json["matchFields"]?.arrayValue ?? []).map(Requirement.init)
        }

        func matches(name: String, labels values: [String: String]) -> Bool {
            guard !(labels.isEmpty && fields.isEmpty) else { return false }
            return labels.allSatisfy { $0.matches(values[$0.key]) }
                && fields.allSatisfy { $0.key == "metadata.name" && $0.matches(name) }
        }
    }

    /// One condition on a label or field.
    struct Requirement: Hashable, Sendable {
        let key: String
        let comparison: String
        let values: [String]

        init(_ json: JSONValue) {
            key = json["key"]?.stringValue ?? ""
            comparison = json["operator"]?.stringValue ?? ""
            values = json["values"]?.strings ?? []
        }

        /// - Parameter value: nil when there is no such label.
        func matches(_ value: String?) -> Bool {
            switch comparison {
            case "In": value.map(values.contains) ?? false
            case "NotIn": value.map { !values.contains($0) } ?? true
            case "Exists": value != nil
            case "DoesNotExist": value == nil
            case "Gt", "Lt":
                if let number = value.flatMap(Int.init), let bound = values.first.flatMap(Int.init) {
                    comparison == "Gt" ? number > bound : number < bound
                } else {
                    false
                }
            default: false
            }
        }
    }

    private let selector: [String: String]
    /// One of them has to match; nil when nothing is required.
    private let required: [Term]?
    private let preferred: [Preference]

    private struct Preference: Hashable, Sendable {
        let weight: Int
        let term: Term
    }

    /// Reads a pod's `spec`.
    package init(_ spec: JSONValue?) {
        selector = spec?["nodeSelector"]?.stringMap ?? [:]
        let affinity = spec?["affinity"]?["nodeAffinity"]
        required = affinity?["requiredDuringSchedulingIgnoredDuringExecution"].map { json in
            (json["nodeSelectorTerms"]?.arrayValue ?? []).map(Term.init)
        }
        preferred = (affinity?["preferredDuringSchedulingIgnoredDuringExecution"]?.arrayValue ?? []).map { json in
            Preference(weight: json["weight"]?.intValue ?? 0, term: Term(json["preference"] ?? [:]))
        }
    }

    /// Whether a pod may have the node.
    package func allows(name: String, labels: [String: String]) -> Bool {
        selector.allSatisfy { labels[$0.key] == $0.value }
            && required.map { $0.contains { $0.matches(name: name, labels: labels) } } ?? true
    }

    /// How much a pod would like the node: the weights of the preferences that it meets.
    package func preference(name: String, labels: [String: String]) -> Int {
        preferred.reduce(0) { $1.term.matches(name: name, labels: labels) ? $0 + $1.weight : $0 }
    }
}
