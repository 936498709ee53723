package import ClusterModel

/// Kubernetes's own patch: like a merge patch, but lists with a key merge by it (kubectl-wire 8).
package enum StrategicMergePatch {
    /// Why a patch cannot be carried out.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    private enum Strategy {
        case replace
        /// By this member of the items.
        case merge(key: String)
        case set
    }

    /// Where lists merge: by the name of the list, and for ambiguous names by what it is in.
    private static func strategy(of list: String, in parent: String) -> Strategy {
        switch (parent, list) {
        case ("containers", "ports"), ("initContainers", "ports"), ("ephemeralContainers", "ports"):
            .merge(key: "containerPort")
        case ("spec", "ports"): .merge(key: "port")
        case (_, "containers"), (_, "initContainers"), (_, "ephemeralContainers"), (_, "env"), (_, "volumes"),
            (_, "imagePullSecrets"), ("", "secrets"):
            .merge(key: "name")
        case (_, "volumeMounts"): .merge(key: "mountPath")
        case (_, "volumeDevices"): .merge(key: "devicePath")
        case (_, "hostAliases"), (_, "podIPs"): .merge(key: "ip")
        case ("status", "conditions"), ("status", "addresses"): .merge(key: "type")
        case (_, "ownerReferences"): .merge(key: "uid")
        case (_, "topologySpreadConstraints"): .merge(key: "topologyKey")
        case (_, "finalizers"), (_, "podCIDRs"): .set
        default: .replace
        }
    }

    package static func apply(_ patch: JSONValue, to target: JSONValue) throws(Failure) -> JSONValue {
        guard patch.objectValue != nil else { throw Failure(description: "a patch is a mapping") }
        return try merge(patch, into: target, parent: "") ?? [:]
    }

    /// nil: the value is to be removed.
    private static func merge(
        _ patch: JSONValue, into target: JSONValue, parent: String
    ) throws(Failure) -> JSONValue? {
        guard var members = patch.objectValue else { return patch }
        switch members.removeValue(forKey: "$patch")?.stringValue {
        case "delete": return nil
        case "replace": return try cleaned(.object(members), parent: parent)
        case nil, "merge": break
        case let other?: throw Failure(description: "unknown $patch directive \"\(other)\"")
        }
        var result = target.objectValue ?? [:]
        let retained = members.removeValue(forKey: "$retainKeys")?.arrayValue?.compactMap(\.stringValue)
        var orders: [String: [JSONValue]] = [:]
        for (key, value) in members where key.hasPrefix("$") {
            members[key] = nil
            if let list = key.suffix(after: "$setElementOrder/") {
                orders[list] = value.arrayValue ?? []
            } else if let list = key.suffix(after: "$deleteFromPrimitiveList/") {
                let gone = Set(value.arrayValue ?? [])
                result[list] = result[list]?.arrayValue.map { .array($0.filter { !gone.contains($0) }) }
            } else {
                throw Failure(description: "unknown directive \"\(key)\"")
            }
        }
        for (key, value) in members {
            if value == .null {
                result[key] = nil
            } else if let list = value.arrayValue {
                result[key] = .array(
                    try merge(list, into: result[key]?.arrayValue ?? [], name: key, parent: parent))
            } else {
                result[key] = try merge(value, into: result[key] ?? .null, parent: key)
            }
        }
        for (list, order) in orders {
            guard let items = result[list]?.arrayValue else { continue }
            result[list] = .array(ordered(items, by: order, strategy(of: list, in: parent)))
        }
        if let retained { result = result.filter { retained.contains($0.key) } }
        return .object(result)
    }

    private static func merge(
        _ patch: [JSONValue], into target: [JSONValue], name: String, parent: String
    ) throws(Failure) -> [JSONValue] {
        let isReplacing = patch.contains { $0["$patch"]?.stringValue == "replace" && $0.objectValue?.count == 1 }
        let items = patch.filter { !($0["$patch"]?.stringValue == "replace" && $0.objectValue?.count == 1) }
        switch strategy(of: name, in: parent) {
        case .replace: return try cleaned(items, parent: name)
        case .set:
            let fresh = try cleaned(items, parent: name)
            return isReplacing ? fresh : target + fresh.filter { !target.contains($0) }
        case .merge(let key):
            if isReplacing { return try cleaned(items, parent: name) }
            var result = target
            for item in items {
                guard let value = item[key] else {
                    throw Failure(description: "an item of \(name) lacks its key \(key)")
                }
                let index = result.firstIndex { $0[key] == value }
                let merged = try merge(item, into: index.map { result[$0] } ?? .null, parent: name)
                switch (index, merged) {
                case (let index?, let merged?): result[index] = merged
                case (let index?, nil): result.remove(at: index)
                case (nil, let merged?): result.append(merged)
                case (nil, nil): continue
                }
            }
            return result
        }
    }

    /// What stands in a patch where nothing is to merge with: directives are never stored.
    private static func cleaned(_ value: JSONValue, parent: String) throws(Failure) -> JSONValue {
        if let list = value.arrayValue { return .array(try cleaned(list, parent: parent)) }
        guard value.objectValue != nil else { return value }
        return try merge(value, into: [:], parent: parent) ?? [:]
    }

    private static func cleaned(_ items: [JSONValue], parent: String) throws(Failure) -> [JSONValue] {
        var result: [JSONValue] = []
        for item in items where item["$patch"]?.stringValue != "delete" {
            result.append(try cleaned(item, parent: parent))
        }
        return result
    }

    /// Items in the given order; those that it does not name keep theirs, before the first named one that followed them.
    private static func ordered(_ items: [JSONValue], by order: [JSONValue], _ strategy: Strategy) -> [JSONValue] {
        func identity(_ item: JSONValue) -> JSONValue {
            if case .merge(let key) = strategy { return item[key] ?? .null }
            return item
        }
        let wanted = order.map(identity)
        let named = wanted.compactMap { id in items.first { identity($0) == id } }
        var result: [JSONValue] = []
        var rest = named[...]
        var placed: Set<JSONValue> = []
        for (index, item) in items.enumerated() where !wanted.contains(identity(item)) {
            // The first named item that follows this one in the store.
            let next = items[index...].first { wanted.contains(identity($0)) }.map(identity)
            if let next {
                while let head = rest.first, identity(head) != next, !placed.contains(next) {
                    result.append(head)
                    placed.insert(identity(head))
                    rest = rest.dropFirst()
                }
                result.append(item)
            } else {
                result += rest
                rest = []
                result.append(item)
            }
        }
        return result + rest
    }
}

extension String {
    /// What stands behind `prefix`; nil when the text does not begin with it.
    fileprivate func suffix(after prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
