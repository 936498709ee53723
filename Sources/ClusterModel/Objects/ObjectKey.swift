/// Names one object of the store.
package struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let type: ResourceType
    /// Empty for kinds without a namespace.
    package let namespace: String
    package let name: String

    package init(_ type: ResourceType, namespace: String = "", name: String) {
        self.type = type
        self.namespace = namespace
        self.name = name
    }

    /// `services kiada/quote`, `nodes kiada-node`.
    package var description: String { "\(type.rawValue) \(namespace.isEmpty ? name : "\(namespace)/\(name)")" }

    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.type, left.namespace, left.name) < (right.type, right.namespace, right.name)
    }
}
