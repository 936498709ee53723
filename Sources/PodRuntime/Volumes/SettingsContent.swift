import ClusterModel

/// What a ConfigMap or Secret holds.
package struct SettingsContent: Sendable, Equatable {
    /// What variables can be set from.
    package var texts: [String: String]
    /// What files can be made of: the texts, and what is no text.
    package var files: [String: [UInt8]]

    package init(texts: [String: String], files: [String: [UInt8]]) {
        self.texts = texts
        self.files = files
    }
}

extension ContainerSpec.Settings {
    /// `configmap "x"` or `secret "x"`.
    var phrase: String {
        switch self {
        case .configMap(let name): "configmap \"\(name)\""
        case .secret(let name): "secret \"\(name)\""
        }
    }
}
