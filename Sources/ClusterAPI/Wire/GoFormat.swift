import ClusterModel

/// Values as the API server's language prints them by default, in messages that show a patch.
enum GoFormat {
    /// Such as `map[spec:map[replicas:3]]`.
    static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "<nil>"
        case .string(let text): text
        case .array(let items): "[\(items.map(text).joined(separator: " "))]"
        case .object(let members):
            "map[\(members.sorted { $0.key < $1.key }.map { "\($0.key):\(text($0.value))" }.joined(separator: " "))]"
        default: value.serializedText()
        }
    }
}
