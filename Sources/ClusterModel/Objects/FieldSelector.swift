/// A condition on fields, as `kubectl --field-selector` writes it: `metadata.name=quote,status.phase!=Running`.
package struct FieldSelector: Hashable, Sendable {
    /// One part of the condition; all must hold.
    package struct Requirement: Hashable, Sendable {
        package let path: String
        package let value: String
        package let isNegated: Bool
    }

    package let requirements: [Requirement]

    /// Reads the text form for objects of `type`.
    ///
    /// - Throws: a BadRequest for a part that is no comparison and for a field that cannot be asked for.
    package init(parsing text: String, for type: ResourceType) throws(APIError) {
        var requirements: [Requirement] = []
        for part in text.split(separator: ",") {
            guard let equals = part.firstIndex(of: "=") else {
                throw APIError(.badRequest, "invalid selector: '\(text)'; can't understand '\(part)'")
            }
            var path = part[..<equals]
            var value = part[part.index(after: equals)...]
            if value.hasPrefix("=") { value = value.dropFirst() }
            let isNegated = path.hasSuffix("!")
            if isNegated { path = path.dropLast() }
            let name = String(path).trimmed
            guard Self.isKnown(name, for: type) else {
                throw APIError(.badRequest, "field label not supported: \(name)")
            }
            requirements.append(Requirement(path: name, value: String(value).trimmed, isNegated: isNegated))
        }
        self.requirements = requirements
    }

    package func matches(_ object: KubeObject) -> Bool {
        requirements.allSatisfy { (Self.text(at: $0.path, in: object) == $0.value) != $0.isNegated }
    }

    private static func isKnown(_ path: String, for type: ResourceType) -> Bool {
        if path == "metadata.name" { return true }
        if path == "metadata.namespace" { return type.isNamespaced }
        return switch type {
        case .pods:
            ["spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase", "status.podIP"]
                .contains(path)
        case .services: ["spec.clusterIP", "spec.type"].contains(path)
        case .namespaces: path == "status.phase"
        case .nodes: path == "spec.unschedulable"
        case .secrets: path == "type"
        case .events:
            path.hasPrefix("involvedObject.") || path.hasPrefix("regarding.")
                || ["reason", "type", "source", "reportingComponent", "reportingController"].contains(path)
        default: false
        }
    }

    /// Where a field is; fields of Events may be asked for by the names of either of their shapes.
    private static func steps(to path: String, in object: KubeObject) -> [Substring] {
        let steps = path.split(separator: ".")
        guard object.type == .events else { return steps }
        switch steps.first {
        case "regarding": return ["involvedObject"] + steps.dropFirst()
        case "reportingController": return ["reportingComponent"]
        // Newer clients name their component elsewhere.
        case "source":
            return object.json["source"]?["component"] == nil ? ["reportingComponent"] : ["source", "component"]
        default: return steps
        }
    }

    /// The field as text; "" when it is absent.
    private static func text(at path: String, in object: KubeObject) -> String {
        var value: JSONValue? = object.json
        for step in steps(to: path, in: object) { value = value?[String(step)] }
        return switch value {
        case .string(let text): text
        case .bool(let flag): String(flag)
        case .integer(let number): String(number)
        default: path == "spec.unschedulable" ? "false" : ""
        }
    }
}

extension String {
    /// Without white space at both ends.
    package var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
