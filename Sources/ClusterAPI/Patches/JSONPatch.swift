package import ClusterModel

/// JSON Patch (RFC 6902): a list of operations, all or none.
package enum JSONPatch {
    /// Why a patch cannot be carried out.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Operations of one patch at most.
    private static let mostOperations = 10_000
    /// Values that all copies of one patch make, at most: a document that is copied into itself doubles each time.
    private static let mostCopied = 100_000
    /// Levels that a document may have after an operation, as in a body.
    private static let deepestLevel = 100

    package static func apply(_ patch: JSONValue, to target: JSONValue) throws(Failure) -> JSONValue {
        guard let operations = patch.arrayValue else { throw Failure(description: "a JSON patch is a list") }
        guard operations.count <= mostOperations else { throw Failure(description: "too many operations") }
        var result = target
        var copied = 0
        for operation in operations { try apply(operation, &result, &copied) }
        return result
    }

    private static func apply(
        _ operation: JSONValue, _ target: inout JSONValue, _ copied: inout Int
    ) throws(Failure) {
        let path = try pointer(operation["path"], "path")
        switch operation["op"]?.stringValue {
        case "add":
            try checkDepth(try value(operation), at: path)
            try add(try value(operation), at: path[...], &target)
        case "remove": _ = try remove(path[...], &target)
        case "replace":
            guard !path.isEmpty else {
                target = try value(operation)
                return
            }
            try checkDepth(try value(operation), at: path)
            _ = try remove(path[...], &target)
            try add(try value(operation), at: path[...], &target)
        case "move":
            let from = try pointer(operation["from"], "from")
            guard !(path.count > from.count && path.prefix(from.count).elementsEqual(from)) else {
                throw Failure(description: "cannot move a value into itself")
            }
            let moved = try remove(from[...], &target)
            if path.count > from.count { try checkDepth(moved, at: path) }
            try add(moved, at: path[...], &target)
        case "copy":
            let value = try get(try pointer(operation["from"], "from")[...], target)
            count(value, &copied)
            guard copied <= mostCopied else {
                throw Failure(description: "the patch copies more than \(mostCopied) values")
            }
            try checkDepth(value, at: path)
            try add(value, at: path[...], &target)
        case "test":
            guard try get(path[...], target) == value(operation) else {
                throw Failure(description: "testing value /\(path.joined(separator: "/")) failed")
            }
        default: throw Failure(description: "unknown operation \(operation["op"]?.serializedText() ?? "(none)")")
        }
    }

    private static func checkDepth(_ value: JSONValue, at path: [String]) throws(Failure) {
        guard path.count + levels(value) <= deepestLevel else {
            throw Failure(description: "a value would be nested more than \(deepestLevel) levels deep")
        }
    }

    private static func levels(_ value: JSONValue) -> Int {
        switch value {
        case .array(let items): 1 + (items.lazy.map(levels).max() ?? 0)
        case .object(let members): 1 + (members.values.lazy.map(levels).max() ?? 0)
        default: 0
        }
    }

    /// Adds the values in `value` to `number`, but not many more than matter.
    private static func count(_ value: JSONValue, _ number: inout Int) {
        number += 1
        guard number <= mostCopied else { return }
        switch value {
        case .array(let items): for item in items { count(item, &number) }
        case .object(let members): for member in members.values { count(member, &number) }
        default: break
        }
    }

    private static func value(_ operation: JSONValue) throws(Failure) -> JSONValue {
        guard let value = operation["value"] else { throw Failure(description: "an operation lacks its value") }
        return value
    }

    /// RFC 6901.
    private static func pointer(_ json: JSONValue?, _ name: String) throws(Failure) -> [String] {
        guard let text = json?.stringValue else { throw Failure(description: "an operation lacks its \(name)") }
        if text.isEmpty { return [] }
        guard text.hasPrefix("/") else { throw Failure(description: "\(name) \"\(text)\" does not begin with /") }
        return text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .map { String($0).replacing("~1", with: "/").replacing("~0", with: "~") }
    }

    private static func missing(_ step: String) -> Failure { Failure(description: "no value at \"\(step)\"") }

    private static func index(_ step: String, _ count: Int) throws(Failure) -> Int {
        guard let index = Int(step), String(index) == step, (0..<count).contains(index) else {
            throw Failure(description: "\"\(step)\" is no index of a list of \(count)")
        }
        return index
    }

    private static func get(_ path: ArraySlice<String>, _ target: JSONValue) throws(Failure) -> JSONValue {
        guard let step = path.first else { return target }
        if let list = target.arrayValue { return try get(path.dropFirst(), list[try index(step, list.count)]) }
        guard let member = target[step] else { throw missing(step) }
        return try get(path.dropFirst(), member)
    }

    private static func add(
        _ value: JSONValue, at path: ArraySlice<String>, _ target: inout JSONValue
    ) throws(Failure) {
        guard let step = path.first else {
            target = value
            return
        }
        let rest = path.dropFirst()
        if var list = target.arrayValue {
            if rest.isEmpty {
                list.insert(value, at: step == "-" ? list.count : try index(step, list.count + 1))
            } else {
                let index = try index(step, list.count)
                try add(value, at: rest, &list[index])
            }
            target = .array(list)
        } else if target.objectValue != nil {
            if rest.isEmpty {
                target[step] = value
            } else {
                guard var member = target[step] else { throw missing(step) }
                try add(value, at: rest, &member)
                target[step] = member
            }
        } else {
            throw missing(step)
        }
    }

    private static func remove(_ path: ArraySlice<String>, _ target: inout JSONValue) throws(Failure) -> JSONValue {
        guard let step = path.first else {
            defer { target = .null }
            return target
        }
        let rest = path.dropFirst()
        if var list = target.arrayValue {
            let index = try index(step, list.count)
            let removed = rest.isEmpty ? list.remove(at: index) : try remove(rest, &list[index])
            target = .array(list)
            return removed
        }
        guard var member = target[step] else { throw missing(step) }
        if rest.isEmpty {
            target[step] = nil
            return member
        }
        let removed = try remove(rest, &member)
        target[step] = member
        return removed
    }
}
