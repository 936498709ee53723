package import ClusterModel
import Yams

/// One object of a manifest file, and where it stands.
package struct ManifestDocument: Sendable, Equatable {
    package let object: KubeObject
    package let file: String
    /// The line on which the document begins, counted from 1.
    package let line: Int

    /// `file:line`, for messages.
    package var place: String { "\(file):\(line)" }
}

/// Reads Kubernetes manifests: YAML or JSON, several documents in a file, `kind: List` taken apart.
///
/// Bounds: 4 MiB a file, 200,000 values after aliases are expanded, 100 levels. Duplicate keys are errors.
package enum ManifestParser {
    /// Bytes that a file may have.
    package static let largestFile = 4 << 20
    private static let mostValues = 200_000
    private static let deepestLevel = 100

    /// The objects of `text`, in order; empty documents are left out.
    ///
    /// - Throws: ``ManifestError`` with `file` and the line: the whole file is refused, so that half of it is not lost
    ///   unseen.
    package static func parse(_ text: String, file: String) throws(ManifestError) -> [ManifestDocument] {
        guard text.utf8.count <= largestFile else {
            throw ManifestError(
                file: file, line: nil,
                reason: "the file has \(text.utf8.count) bytes, more than the \(largestFile) that are read; split it")
        }
        var documents: [ManifestDocument] = []
        for node in try nodes(of: text, file: file) {
            var budget = mostValues
            let value = try convert(node, file: file, budget: &budget, level: 0)
            if value == .null { continue }
            documents += try objects(in: value, at: node.mark?.line ?? 1, file: file)
        }
        return documents
    }

    /// A single document that is no Kubernetes object, such as the image map.
    package static func parsePlain(_ text: String, file: String) throws(ManifestError) -> JSONValue {
        var budget = mostValues
        guard let node = try nodes(of: text, file: file).first else { return .null }
        return try convert(node, file: file, budget: &budget, level: 0)
    }

    private static func nodes(of text: String, file: String) throws(ManifestError) -> [Yams.Node] {
        func refuse(_ error: any Error) -> ManifestError {
            guard let error = error as? YamlError else {
                return ManifestError(file: file, line: nil, reason: "\(error)")
            }
            return ManifestError(file: file, line: line(of: error), reason: reason(of: error))
        }
        var sequence: YamlSequence<Yams.Node>
        do {
            sequence = try Yams.compose_all(yaml: text)
        } catch {
            throw refuse(error)
        }
        var nodes: [Yams.Node] = []
        while let node = sequence.next() { nodes.append(node) }
        // The sequence ends at the first mistake and keeps it.
        if let error = sequence.error { throw refuse(error) }
        return nodes
    }

    private static func objects(
        in value: JSONValue, at line: Int, file: String
    ) throws(ManifestError) -> [ManifestDocument] {
        func refuse(_ reason: String) -> ManifestError { ManifestError(file: file, line: line, reason: reason) }
        guard value.objectValue != nil else { throw refuse("a document must be a mapping with apiVersion and kind") }
        guard let kind = value["kind"]?.stringValue, !kind.isEmpty else { throw refuse("Object 'Kind' is missing") }
        guard let version = value["apiVersion"]?.stringValue, !version.isEmpty else {
            throw refuse("\(kind): Object 'apiVersion' is missing")
        }
        if kind == "List", version == "v1" {
            var items: [ManifestDocument] = []
            for item in value["items"]?.arrayValue ?? [] { items += try objects(in: item, at: line, file: file) }
            return items
        }
        return [ManifestDocument(object: KubeObject(value), file: file, line: line)]
    }

    private static func convert(
        _ node: Yams.Node, file: String, budget: inout Int, level: Int
    ) throws(ManifestError) -> JSONValue {
        let line = node.mark?.line
        budget -= 1
        guard budget >= 0 else {
            throw ManifestError(
                file: file, line: line, reason: "more than \(mostValues) values in one document; are aliases nested?")
        }
        guard level <= deepestLevel else {
            throw ManifestError(file: file, line: line, reason: "nested more than \(deepestLevel) levels deep")
        }
        switch node {
        case .mapping(let mapping):
            var object: [String: JSONValue] = [:]
            for (key, value) in mapping {
                guard let name = key.string ?? key.scalar?.string else {
                    throw ManifestError(file: file, line: key.mark?.line, reason: "a key must be a plain text")
                }
                guard object[name] == nil else {
                    throw ManifestError(
                        file: file, line: key.mark?.line, reason: "key \"\(name)\" is already set in this mapping")
                }
                object[name] = try convert(value, file: file, budget: &budget, level: level + 1)
            }
            return .object(object)
        case .sequence(let sequence):
            var array: [JSONValue] = []
            for value in sequence { array.append(try convert(value, file: file, budget: &budget, level: level + 1)) }
            return .array(array)
        case .scalar(let scalar):
            return Self.scalar(node, scalar)
        case .alias:
            throw ManifestError(file: file, line: line, reason: "an alias without its anchor")
        }
    }

    private static func scalar(_ node: Yams.Node, _ scalar: Yams.Node.Scalar) -> JSONValue {
        guard scalar.style == .plain else { return .string(scalar.string) }
        switch node.tag.description {
        case Tag.Name.null.rawValue: return .null
        case Tag.Name.bool.rawValue: return node.bool.map(JSONValue.bool) ?? .string(scalar.string)
        case Tag.Name.int.rawValue:
            return node.int.map { .integer(Int64($0)) } ?? node.float.map(JSONValue.number) ?? .string(scalar.string)
        case Tag.Name.float.rawValue: return node.float.map(JSONValue.number) ?? .string(scalar.string)
        default: return .string(scalar.string)
        }
    }

    // MARK: Yams's errors in our words

    private static func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: nil
        }
    }

    private static func reason(of error: YamlError) -> String {
        switch error {
        case .scanner(let context, let problem, _, _), .parser(let context, let problem, _, _),
            .composer(let context, let problem, _, _):
            "\(context.map { "\($0.text): " } ?? "")\(problem)"
        case .duplicatedKeysInMapping(let keys, _):
            "key \(keys.map { "\"\($0)\"" }.joined(separator: ", ")) is already set in this mapping"
        default: "\(error)"
        }
    }
}
