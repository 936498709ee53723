import ClusterModel
import ClusterStore
import FoundationEssentials

/// What ConfigMaps and Secrets hold, for the variables of containers.
enum PodSettings {
    /// Texts by key; nil when there is no such object.
    static func values(_ settings: ContainerSpec.Settings, _ namespace: String, in store: Store) -> [String: String]? {
        switch settings {
        case .configMap(let name):
            return store.get(ObjectKey(.configmaps, namespace: namespace, name: name)).map {
                $0.json["data"]?.stringMap ?? [:]
            }
        case .secret(let name):
            return store.get(ObjectKey(.secrets, namespace: namespace, name: name)).map { object in
                (object.json["data"]?.stringMap ?? [:]).compactMapValues { text in
                    Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) }
                }
            }
        }
    }
}
