import ClusterModel
import FoundationEssentials

/// What becomes of a Secret when it is written.
enum SecretDefaults {
    /// `stringData` is written only: it becomes `data`, in base64.
    static func fillIn(_ object: inout KubeObject) {
        if object.json["type"] == nil { object.json["type"] = "Opaque" }
        guard let texts = object.json["stringData"]?.stringMap else { return }
        var data = object.json["data"]?.objectValue ?? [:]
        for (key, text) in texts { data[key] = .string(Data(text.utf8).base64EncodedString()) }
        object.json["data"] = .object(data)
        object.json["stringData"] = nil
    }
}
