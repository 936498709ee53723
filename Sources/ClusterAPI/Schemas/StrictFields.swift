import ClusterModel

/// Finds what an object has that its kind does not know, and what has the wrong form (kubectl-wire 8).
enum StrictFields {
    /// A value of the wrong type: the object cannot be read at all.
    struct WrongType: Error {
        let path: String
        /// In the words of the API server's decoder.
        let description: String
    }

    /// The paths of unknown fields, sorted.
    ///
    /// - Throws: ``WrongType`` for a field whose value cannot be.
    static func unknown(in object: KubeObject) throws(WrongType) -> [String] {
        guard let definition = Schema.shared.definitions[object.kind] else { return [] }
        var walk = Walk()
        walk.check(object.json, definition)
        if let wrong = walk.wrong { throw wrong }
        return walk.unknown.sorted()
    }

    /// One look at an object; places become text only where something is wrong.
    private struct Walk {
        private enum Step {
            case field(String)
            case index(Int)
        }

        var unknown: [String] = []
        /// The first by its path.
        var wrong: WrongType?
        private var path: [Step] = []

        private var place: String {
            path.reduce(into: "") { text, step in
                switch step {
                case .field(let name): text += text.isEmpty ? name : ".\(name)"
                case .index(let index): text += "[\(index)]"
                }
            }
        }

        /// The field's path without the places in lists, as the decoder tells it.
        private var fields: String {
            path.compactMap { step in
                if case .field(let name) = step { name } else { nil }
            }.joined(separator: ".")
        }

        /// - Parameter type: as Go calls it.
        private mutating func require(_ isRight: Bool, _ type: String, _ value: JSONValue, in owner: String) {
            guard !isRight else { return }
            note("\(Self.kind(of: value)) into Go struct field \(owner).\(fields) of type \(type)")
        }

        private mutating func note(_ description: String) {
            let new = WrongType(path: place, description: "json: cannot unmarshal \(description)")
            if wrong.map({ new.path < $0.path }) ?? true { wrong = new }
        }

        private static func kind(of value: JSONValue) -> String {
            if value.stringValue != nil { return "string" }
            if value.boolValue != nil { return "bool" }
            if value.objectValue != nil { return "object" }
            if value.arrayValue != nil { return "array" }
            return value.intValue == nil ? "number \(value.serializedText())" : "number"
        }

        mutating func check(_ value: JSONValue, _ definition: Schema.Definition, in owner: String = "") {
            guard case .object(let members) = value else {
                return require(value == .null, "v1.\(definition.name)", value, in: owner)
            }
            let isRoot = path.isEmpty
            for (key, member) in members {
                if let type = definition.types[key] {
                    path.append(.field(key))
                    check(member, type, in: definition.name)
                    path.removeLast()
                } else if !definition.isOpen, !(isRoot && (key == "apiVersion" || key == "kind")) {
                    path.append(.field(key))
                    unknown.append(place)
                    path.removeLast()
                }
            }
        }

        private mutating func check(_ value: JSONValue, _ type: Schema.FieldType, in owner: String) {
            if value == .null { return }
            let goType = type.goType(ofField: path.last.flatMap { if case .field(let name) = $0 { name } else { nil } })
            switch type {
            case .string: require(value.stringValue != nil, goType, value, in: owner)
            case .integer: require(value.intValue != nil, goType, value, in: owner)
            case .boolean: require(value.boolValue != nil, goType, value, in: owner)
            // These two read themselves, and do not know whose field they are.
            case .time:
                if value.stringValue == nil { note("\(Self.kind(of: value)) into Go value of type string") }
            case .intOrString:
                if value.intValue == nil, value.stringValue == nil {
                    note("\(Self.kind(of: value)) into Go value of type int32")
                }
            case .map:
                guard case .object(let members) = value else { return require(false, goType, value, in: owner) }
                for (_, member) in members where member != .null {
                    require(member.stringValue != nil, "string", member, in: owner)
                }
            case .object: require(value.objectValue != nil, goType, value, in: owner)
            case .list(let element):
                guard case .array(let items) = value else { return require(false, goType, value, in: owner) }
                for (index, item) in items.enumerated() {
                    path.append(.index(index))
                    check(item, element, in: owner)
                    path.removeLast()
                }
            case .named(let name):
                if let definition = Schema.shared.definitions[name] { check(value, definition, in: owner) }
            }
        }
    }

    /// Removes the fields at `paths`.
    static func removing(_ paths: [String], from object: KubeObject) -> KubeObject {
        var object = object
        for path in paths { remove(path.split(separator: ".")[...], &object.json) }
        return object
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

extension Schema.FieldType {
    /// Integers of 64 bits; all others have 32.
    private static let longFields: Set<String> = [
        "activeDeadlineSeconds", "deletionGracePeriodSeconds", "expirationSeconds", "fsGroup", "generation",
        "observedGeneration", "runAsGroup", "runAsUser", "terminationGracePeriodSeconds", "tolerationSeconds",
    ]

    /// The type in the API server's own language, as its errors name it.
    fileprivate func goType(ofField name: String?) -> String {
        switch self {
        case .string, .time: "string"
        case .integer: name.map(Self.longFields.contains) == true ? "int64" : "int32"
        case .intOrString: "int32"
        case .boolean: "bool"
        case .map: "map[string]string"
        case .object: "map[string]interface {}"
        case .list(let element): "[]\(element.goType(ofField: name))"
        case .named(let name): "v1.\(name)"
        }
    }
}
