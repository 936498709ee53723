import ClusterModel

/// Finds what an object has that its kind does not know, and what has the wrong form (kubectl-wire 8).
enum StrictFields {
    /// A value of the wrong type: the object cannot be read at all.
    struct WrongType: Error {
        let path: String
        let description: String
    }

    /// The paths of unknown fields, sorted.
    ///
    /// - Throws: ``WrongType`` for a field whose value cannot be.
    static func unknown(in object: KubeObject) throws(WrongType) -> [String] {
        guard let definition = Schema.shared.definitions[object.kind] else { return [] }
        var found: [String] = []
        var members = object.json
        for key in ["apiVersion", "kind"] { members[key] = nil }
        try check(members, definition, at: "", &found)
        return found.sorted()
    }

    /// Removes the fields at `paths`.
    static func removing(_ paths: [String], from object: KubeObject) -> KubeObject {
        var object = object
        for path in paths { remove(path.split(separator: ".")[...], &object.json) }
        return object
    }

    private static func check(
        _ value: JSONValue, _ definition: Schema.Definition, at path: String, _ found: inout [String]
    ) throws(WrongType) {
        guard let members = value.objectValue else {
            if value == .null { return }
            throw WrongType(path: path, description: "must be a mapping")
        }
        let fields = Dictionary(definition.fields.map { ($0.name, $0) }) { first, _ in first }
        for (key, member) in members.sorted(by: { $0.key < $1.key }) {
            let place = path.isEmpty ? key : "\(path).\(key)"
            if let field = fields[key] {
                try check(member, field.type, at: place, &found)
            } else if !definition.isOpen {
                found.append(place)
            }
        }
    }

    private static func check(
        _ value: JSONValue, _ type: Schema.FieldType, at path: String, _ found: inout [String]
    ) throws(WrongType) {
        if value == .null { return }
        func require(_ isRight: Bool, _ what: String) throws(WrongType) {
            if !isRight {
                throw WrongType(path: path, description: "must be \(what), not \(value.serializedText().prefix(64))")
            }
        }
        switch type {
        case .string, .time: try require(value.stringValue != nil, "a string")
        case .integer: try require(value.intValue != nil, "a whole number")
        case .boolean: try require(value.boolValue != nil, "true or false")
        case .intOrString: try require(value.intValue != nil || value.stringValue != nil, "a whole number or a string")
        case .map:
            try require(value.objectValue != nil, "a mapping")
            for (key, member) in value.objectValue ?? [:] where member.stringValue == nil && member != .null {
                throw WrongType(path: "\(path).\(key)", description: "must be a string (put it in quotes)")
            }
        case .object: try require(value.objectValue != nil, "a mapping")
        case .list(let element):
            guard let items = value.arrayValue else { return try require(false, "a list") }
            for (index, item) in items.enumerated() { try check(item, element, at: "\(path)[\(index)]", &found) }
        case .named(let name):
            if let definition = Schema.shared.definitions[name] { try check(value, definition, at: path, &found) }
        }
    }

    private static func remove(_ path: ArraySlice<Substring>, _ value: inout JSONValue) {
        guard let step = path.first else { return }
        var key = String(step)
        var index: Int?
        if let open = key.firstIndex(of: "["), key.hasSuffix("]") {
            index = Int(key[key.index(after: open)...].dropLast())
            key = String(key[..<open])
        }
        if path.count == 1 {
            value[key] = nil
        } else if let index {
            guard var items = value[key]?.arrayValue, items.indices.contains(index) else { return }
            remove(path.dropFirst(), &items[index])
            value[key] = .array(items)
        } else if var member = value[key] {
            remove(path.dropFirst(), &member)
            value[key] = member
        }
    }
}
