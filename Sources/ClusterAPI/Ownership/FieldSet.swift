package import ClusterModel

/// One step on the way to a field.
package enum FieldStep: Hashable, Sendable {
    /// A member of a mapping.
    case field(String)
    /// The item of a list whose members have these values.
    case key([String: JSONValue])
    /// An item of a list that is a set.
    case value(JSONValue)
}

/// Fields of an object, as a tree of steps: what one manager owns.
package struct FieldSet: Hashable, Sendable {
    /// The field at this place itself belongs to the set.
    package var isMember = false
    package var children: [FieldStep: FieldSet] = [:]

    package init() {}

    init(isMember: Bool) { self.isMember = isMember }

    package var isEmpty: Bool { !isMember && children.isEmpty }

    /// The set below a step; nothing where there is none, and nothing is kept where it becomes empty.
    package subscript(step: FieldStep) -> FieldSet {
        get { children[step] ?? FieldSet() }
        set { children[step] = newValue.isEmpty ? nil : newValue }
    }

    package func union(_ other: FieldSet) -> FieldSet {
        var result = self
        result.isMember = isMember || other.isMember
        for (step, set) in other.children { result[step] = self[step].union(set) }
        return result
    }

    package func intersection(_ other: FieldSet) -> FieldSet {
        var result = FieldSet(isMember: isMember && other.isMember)
        for (step, set) in children {
            if let others = other.children[step] { result[step] = set.intersection(others) }
        }
        return result
    }

    /// Without the fields of `other`; what lies below those stays.
    package func subtracting(_ other: FieldSet) -> FieldSet {
        var result = self
        result.isMember = isMember && !other.isMember
        for (step, set) in other.children {
            if let own = children[step] { result[step] = own.subtracting(set) }
        }
        return result
    }

    /// All fields, each as its steps, sorted as they are printed.
    package var paths: [[FieldStep]] {
        var result: [[FieldStep]] = isMember ? [[]] : []
        for (step, set) in children.sorted(by: { $0.key.description < $1.key.description }) {
            result += set.paths.map { [step] + $0 }
        }
        return result
    }
}

extension FieldStep: CustomStringConvertible {
    /// As in messages: `.spec`, `[port=80,protocol="TCP"]`, `[="x"]`.
    package var description: String {
        switch self {
        case .field(let name): ".\(name)"
        case .key(let values):
            "[\(values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.serializedText())" }.joined(separator: ","))]"
        case .value(let value): "[=\(value.serializedText())]"
        }
    }
}

// MARK: FieldsV1

extension FieldSet {
    /// Reads the form that objects carry: `{"f:spec":{"f:ports":{".":{},"k:{\"port\":80}":{}}}}`.
    ///
    /// nil for anything else.
    package init?(fieldsV1 json: JSONValue) {
        guard let members = json.objectValue else { return nil }
        for (key, value) in members {
            guard key != "." else {
                isMember = true
                continue
            }
            guard let step = FieldStep(fieldsV1: key), var set = FieldSet(fieldsV1: value) else { return nil }
            if set.isEmpty { set.isMember = true }
            children[step] = set
        }
    }

    package var fieldsV1: JSONValue {
        var members: [String: JSONValue] = [:]
        for (step, set) in children { members[step.fieldsV1] = set.fieldsV1 }
        if isMember, !children.isEmpty { members["."] = [:] }
        return .object(members)
    }
}

extension FieldStep {
    /// nil for a key that is none, and for an index, by which nothing of ours is owned.
    fileprivate init?(fieldsV1 key: String) {
        let rest = String(key.dropFirst(2))
        if key.hasPrefix("f:") {
            self = .field(rest)
        } else if key.hasPrefix("k:"), let values = (try? JSONValue(parsing: rest))?.objectValue, !values.isEmpty {
            self = .key(values)
        } else if key.hasPrefix("v:"), let value = try? JSONValue(parsing: rest) {
            self = .value(value)
        } else {
            return nil
        }
    }

    fileprivate var fieldsV1: String {
        switch self {
        case .field(let name): "f:\(name)"
        case .key(let values): "k:\(JSONValue.object(values).serializedText())"
        case .value(let value): "v:\(value.serializedText())"
        }
    }
}
