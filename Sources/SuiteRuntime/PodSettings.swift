import ClusterModel
import ClusterStore
import FoundationEssentials
import PodRuntime

/// What ConfigMaps and Secrets hold, for the variables and files of containers.
enum PodSettings {
    /// nil when there is no such object.
    static func content(_ settings: ContainerSpec.Settings, _ namespace: String, in store: Store) -> SettingsContent? {
        switch settings {
        case .configMap(let name):
            return store.get(ObjectKey(.configmaps, namespace: namespace, name: name)).map { object in
                let texts = object.json["data"]?.stringMap ?? [:]
                let binary = decoded(object.json["binaryData"])
                return SettingsContent(
                    texts: texts, files: texts.mapValues { Array($0.utf8) }.merging(binary) { text, _ in text })
            }
        case .secret(let name):
            return store.get(ObjectKey(.secrets, namespace: namespace, name: name)).map { object in
                let files = decoded(object.json["data"])
                return SettingsContent(
                    texts: files.mapValues { String(decoding: $0, as: UTF8.self) }, files: files)
            }
        }
    }

    /// The ConfigMap or Secret that an object is; nil for other kinds.
    static func settings(_ object: KubeObject) -> ContainerSpec.Settings? {
        switch object.type {
        case .configmaps: .configMap(object.name)
        case .secrets: .secret(object.name)
        default: nil
        }
    }

    private static func decoded(_ json: JSONValue?) -> [String: [UInt8]] {
        (json?.stringMap ?? [:]).compactMapValues { text in Data(base64Encoded: text).map(Array.init) }
    }
}
