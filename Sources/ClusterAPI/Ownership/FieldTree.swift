import ClusterModel

/// What can be done with an object, field by field.
///
/// Each function walks down a value; `name` is the field that it is in, `parent` the one around that, both empty at the
/// root.
enum FieldTree {
    /// Why a manifest cannot be applied.
    struct Failure: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// The fields that somebody owns who applies `value`.
    ///
    /// - Throws: for items of a list that cannot be told apart.
    static func fields(of value: JSONValue, _ name: String = "", in parent: String = "") throws(Failure) -> FieldSet {
        try fields(of: value, name, in: parent, at: "")
    }

    private static func fields(
        of value: JSONValue, _ name: String, in parent: String, at path: String
    ) throws(Failure) -> FieldSet {
        var result = FieldSet()
        let shape = FieldShape(value, name, in: parent)
        switch (shape, value) {
        case (.members, .object(let members)):
            for (key, member) in members {
                result[.field(key)] = try fields(of: member, key, in: name, at: "\(path).\(key)")
            }
            if members.isEmpty { result.isMember = true }
        case (.items, .array(let items)), (.set, .array(let items)):
            for (index, item) in items.enumerated() {
                guard let step = shape.step(of: item) else {
                    throw Failure(
                        description:
                            "\(path): element \(index): associative list with keys has an element that omits a "
                            + "key field (and doesn't have default value)")
                }
                guard result.children[step] == nil else {
                    throw Failure(description: "\(path): element \(index): duplicate entries for key \(step)")
                }
                var set = shape == .set ? FieldSet() : try fields(of: item, name, in: parent, at: "\(path)\(step)")
                set.isMember = true
                result[step] = set
            }
        default: result.isMember = true
        }
        return result
    }

    /// What differs between two states of an object.
    struct Comparison {
        var added = FieldSet()
        var changed = FieldSet()
        var removed = FieldSet()

        var isEmpty: Bool { added.isEmpty && changed.isEmpty && removed.isEmpty }

        fileprivate mutating func put(_ other: Comparison, at step: FieldStep) {
            added[step] = other.added
            changed[step] = other.changed
            removed[step] = other.removed
        }
    }

    static func comparison(
        _ old: JSONValue?, _ new: JSONValue?, _ name: String = "", in parent: String = ""
    ) -> Comparison {
        var result = Comparison()
        guard old != new, let either = new ?? old else { return result }
        let shape = FieldShape(either, name, in: parent)
        let isSame = old.map { FieldShape($0, name, in: parent) == shape } ?? true
        guard shape != .whole, isSame, let olds = parts(of: old, shape), let news = parts(of: new, shape) else {
            if old == nil {
                result.added.isMember = true
            } else if new == nil {
                result.removed.isMember = true
            } else {
                result.changed.isMember = true
            }
            return result
        }
        for step in Set(olds.keys).union(news.keys) {
            var inner = Comparison()
            switch step {
            case .field(let key): inner = comparison(olds[step], news[step], key, in: name)
            case .key: inner = comparison(olds[step], news[step], name, in: parent)
            case .value: break
            }
            if !isAlways(step) {
                if olds[step] == nil { inner.added.isMember = true }
                if news[step] == nil { inner.removed.isMember = true }
            }
            result.put(inner, at: step)
        }
        return result
    }

    /// Mappings that every object has, so that nobody adds them.
    private static func isAlways(_ step: FieldStep) -> Bool {
        guard case .field(let name) = step else { return false }
        return ["metadata", "spec", "status", "template"].contains(name)
    }

    /// The parts of a value that are owned one by one; nil when its items cannot be told apart.
    private static func parts(of value: JSONValue?, _ shape: FieldShape) -> [FieldStep: JSONValue]? {
        switch value {
        case nil: return [:]
        case .object(let members)?:
            return Dictionary(members.map { (FieldStep.field($0.key), $0.value) }) { first, _ in first }
        case .array(let items)?:
            var parts: [FieldStep: JSONValue] = [:]
            for item in items {
                guard let step = shape.step(of: item), parts.updateValue(item, forKey: step) == nil else { return nil }
            }
            return parts
        default: return nil
        }
    }

    /// `live` with what `manifest` says; lists take the manifest's order.
    static func merged(
        _ manifest: JSONValue, into live: JSONValue, _ name: String = "", in parent: String = ""
    ) -> JSONValue {
        let shape = FieldShape(manifest, name, in: parent)
        switch (shape, manifest, live) {
        case (.members, .object(let members), .object(var result)):
            for (key, member) in members {
                result[key] = result[key].map { merged(member, into: $0, key, in: name) } ?? member
            }
            return .object(result)
        case (.items, .array(let wanted), .array(let present)), (.set, .array(let wanted), .array(let present)):
            var steps: [FieldStep: Int] = [:]
            for (index, item) in wanted.enumerated() {
                if let step = shape.step(of: item) { steps[step] = index }
            }
            var found: [Int: JSONValue] = [:]
            for item in present {
                if let index = shape.step(of: item).flatMap({ steps[$0] }), found[index] == nil { found[index] = item }
            }
            let items = wanted.enumerated().map { index, item in
                found[index].map { merged(item, into: $0, name, in: parent) } ?? item
            }
            // Items that only the store has stay before the wanted ones that they stood before.
            var result: [JSONValue] = []
            var next = 0
            for item in present {
                guard let index = shape.step(of: item).flatMap({ steps[$0] }) else {
                    result.append(item)
                    continue
                }
                while next <= index {
                    result.append(items[next])
                    next += 1
                }
            }
            return .array(result + items[next...])
        default: return manifest
        }
    }

    /// `value` without the fields of a set, and without what becomes empty by that.
    static func removing(
        _ set: FieldSet, from value: JSONValue, _ name: String = "", in parent: String = ""
    ) -> JSONValue {
        let shape = FieldShape(value, name, in: parent)
        switch (shape, value) {
        case (.members, .object(var members)):
            for (step, inner) in set.children {
                guard case .field(let key) = step, let member = members[key] else { continue }
                if inner.isMember {
                    members[key] = nil
                } else {
                    let rest = removing(inner, from: member, key, in: name)
                    members[key] = rest != member && rest.isEmpty && FieldShape.vanishesEmpty(rest, key) ? nil : rest
                }
            }
            return .object(members)
        case (.items, .array(let items)), (.set, .array(let items)):
            return .array(
                items.compactMap { item in
                    guard let step = shape.step(of: item), let inner = set.children[step] else { return item }
                    if inner.isMember { return nil }
                    var rest = removing(inner, from: item, name, in: parent)
                    // What tells an item apart stays as long as the item does.
                    if case .key(let keys) = step { for key in keys.keys { rest[key] = item[key] } }
                    return rest
                })
        default: return value
        }
    }

    /// What of `last`, which its owner does not apply any more, nobody owns: it is to be removed.
    ///
    /// - Parameter owned: what all managers own now.
    static func abandoned(_ last: FieldSet, owned: FieldSet?) -> FieldSet {
        var result = FieldSet()
        for (step, set) in last.children {
            let others = owned?.children[step]
            let isGone: Bool
            // An item goes with all that is in it; a mapping stays while somebody owns a part of it.
            if case .field = step { isGone = others == nil } else { isGone = !(others?.isMember ?? false) }
            if set.isMember, isGone {
                result[step] = FieldSet(isMember: true)
            } else {
                result[step] = abandoned(set, owned: others)
            }
        }
        return result
    }

    /// `value` without nulls, which in a manifest say nothing.
    static func withoutNulls(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members): .object(members.filter { $0.value != .null }.mapValues { withoutNulls($0) })
        case .array(let items): .array(items.map { withoutNulls($0) })
        default: value
        }
    }
}

extension JSONValue {
    fileprivate var isEmpty: Bool {
        switch self {
        case .object(let members): members.isEmpty
        case .array(let items): items.isEmpty
        default: false
        }
    }
}
