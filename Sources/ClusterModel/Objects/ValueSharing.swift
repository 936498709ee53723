/// Lets equal parts of many objects be the same memory.
///
/// Pods of one template differ in their metadata and status only, and a Service's endpoints in little more than their
/// addresses: of 100,000 pods this saves half.
package struct ValueSharing: Sendable {
    /// Parts that are remembered; with more, it begins anew.
    private let most: Int
    private var known: Set<JSONValue> = []

    /// - Parameter most: parts that are remembered, also those that nobody has any more.
    package init(most: Int = 65_536) { self.most = most }

    /// Replaces parts of `object` by equal ones that it has seen before; the object's value stays the same.
    package mutating func share(_ object: inout KubeObject) {
        guard case .object(var root) = object.json else { return }
        // While the object does not hold it, the dictionary is changed in place.
        object.json = .null
        if let spec = root["spec"] { root["spec"] = shared(spec) }
        if let ports = root["ports"] { root["ports"] = shared(ports) }
        shareMember("labels", of: "metadata", in: &root)
        shareMember("conditions", of: "status", in: &root)
        for key in ["conditions", "targetRef"] { shareInElements(of: "endpoints", key, in: &root) }
        shareInSubsets(of: &root)
        object.json = .object(root)
    }

    private mutating func shareMember(_ key: String, of outer: String, in root: inout [String: JSONValue]) {
        guard case .object(var members)? = root[outer], let value = members[key] else { return }
        root[outer] = .null
        members[key] = shared(value)
        root[outer] = .object(members)
    }

    /// The Endpoints of a Service name the same pods as its slices.
    private mutating func shareInSubsets(of root: inout [String: JSONValue]) {
        guard case .array(var subsets)? = root["subsets"] else { return }
        root["subsets"] = .null
        for index in subsets.indices {
            guard case .object(var subset) = subsets[index] else { continue }
            subsets[index] = .null
            if let ports = subset["ports"] { subset["ports"] = shared(ports) }
            for list in ["addresses", "notReadyAddresses"] { shareInElements(of: list, "targetRef", in: &subset) }
            subsets[index] = .object(subset)
        }
        root["subsets"] = .array(subsets)
    }

    private mutating func shareInElements(of outer: String, _ key: String, in root: inout [String: JSONValue]) {
        guard case .array(var elements)? = root[outer] else { return }
        root[outer] = .null
        for index in elements.indices {
            if let value = elements[index][key] { elements[index][key] = shared(value) }
        }
        root[outer] = .array(elements)
    }

    /// `value`, or what equals it; its own parts are looked for only if it is new as a whole.
    private mutating func shared(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null, .bool, .integer, .number, .string: return value
        case .array, .object: break
        }
        if let index = known.firstIndex(of: value) { return known[index] }
        var new = value
        if case .array(let elements) = value {
            new = .array(elements.map { shared($0) })
        } else if case .object(let members) = value {
            new = .object(members.mapValues { shared($0) })
        }
        if known.count >= most { known.removeAll() }
        known.insert(new)
        return new
    }
}
