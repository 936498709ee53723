package import ClusterModel

/// JSON Merge Patch (RFC 7386): null removes, maps merge, everything else is replaced.
package enum MergePatch {
    package static func apply(_ patch: JSONValue, to target: JSONValue) -> JSONValue {
        guard let members = patch.objectValue else { return patch }
        var result = target.objectValue ?? [:]
        for (key, value) in members {
            if value == .null { result[key] = nil } else { result[key] = apply(value, to: result[key] ?? .null) }
        }
        return .object(result)
    }
}
