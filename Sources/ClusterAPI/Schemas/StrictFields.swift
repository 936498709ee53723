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

        private mutating func require(_ isRight: Bool, _ what: String, _ value: JSONValue) {
            if !isRight { note("must be \(what), not \(value.serializedText().prefix(64))") }
        }

        private mutating func note(_ description: String) {
            let new = WrongType(path: place, description: description)
            if wrong.map({ new.path < $0.path }) ?? true { wrong = new }
        }

        mutating func check(_ value: JSONValue, _ definition: Schema.Definition) {
            guard case .object(let members) = value else {
                if value != .null { note("must be a mapping") }
                return
            }
            let isRoot = path.isEmpty
            for (key, member) in members {
                if let type = definition.types[key] {
                    path.append(.field(key))
                    check(member, type)
                    path.removeLast()
                } else if !definition.isOpen, !(isRoot && (key == "apiVersion" || key == "kind")) {
                    path.append(.field(key))
                    unknown.append(place)
                    path.removeLast()
                }
            }
        }

        private mutating func check(_ value: JSONValue, _ type: Schema.FieldType) {
            if value == .null { return }
            switch type {
            case .string, .time: require(value.stringValue != nil, "a string", value)
            case .integer: require(value.intValue != nil, "a whole number", value)
            case .boolean: require(value.boolValue != nil, "true or false", value)
            case .intOrString:
                require(value.intValue != nil || value.stringValue != nil, "a whole number or a string", value)
            case .map:
                guard case .object(let members) = value else { return require(false, "a mapping", value) }
                for (key, member) in members where member.stringValue == nil && member != .null {
                    path.append(.field(key))
                    note("must be a string (put it in quotes)")
                    path.removeLast()
                }
            case .object: require(value.objectValue != nil, "a mapping", value)
            case .list(let element):
                guard case .array(let items) = value else { return require(false, "a list", value) }
                for (index, item) in items.enumerated() {
                    path.append(.index(index))
                    check(item, element)
                    path.removeLast()
                }
            case .named(let name):
                if let definition = Schema.shared.definitions[name] { check(value, definition) }
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
