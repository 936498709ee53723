/// A volume whose files are written from objects: the kinds configMap, secret, downwardAPI and projected.
package struct FileVolume: Hashable, Sendable {
    /// One key of a ConfigMap or Secret as a file.
    package struct Item: Hashable, Sendable {
        package let key: String
        /// Relative to the volume; may have folders, but neither `..` nor a leading slash.
        package let path: String
        /// Permission bits; nil takes the volume's default.
        package let mode: Int?
    }

    /// One field of the pod as a file (downwardAPI).
    package struct Field: Hashable, Sendable {
        package let path: String
        package let mode: Int?
        package let value: ContainerSpec.Variable.Source
    }

    /// What files are made from; later sources win.
    package enum Source: Hashable, Sendable {
        /// All keys, or only `items`; an optional object or key may be missing.
        case settings(ContainerSpec.Settings, items: [Item]?, isOptional: Bool)
        case fields([Field])
        /// One that the runtime does not know; `description` names it for the error.
        case unsupported(description: String)
    }

    package let sources: [Source]
    /// Permission bits of files that say none.
    package let defaultMode: Int

    /// The ConfigMaps and Secrets that the files come from.
    package var settings: Set<ContainerSpec.Settings> {
        Set(
            sources.compactMap { source in
                if case .settings(let settings, _, _) = source { settings } else { nil }
            })
    }
}

extension FileVolume {
    /// Reads an entry of `spec.volumes`; nil for a volume of another kind.
    init?(volume json: JSONValue) {
        if let projected = json["projected"] {
            defaultMode = projected["defaultMode"]?.intValue ?? 0o644
            sources = (projected["sources"]?.arrayValue ?? []).map(Source.init)
        } else if let part = json["configMap"] ?? json["secret"] ?? json["downwardAPI"] {
            defaultMode = part["defaultMode"]?.intValue ?? 0o644
            sources = [Source(json)]
        } else {
            return nil
        }
    }
}

extension FileVolume.Source {
    /// A volume names its Secret in `secretName`, a projected source in `name`.
    fileprivate init(_ json: JSONValue) {
        if let part = json["configMap"] {
            self = .init(part, .configMap(part["name"]?.stringValue ?? ""))
        } else if let part = json["secret"] {
            self = .init(part, .secret(part["secretName"]?.stringValue ?? part["name"]?.stringValue ?? ""))
        } else if let part = json["downwardAPI"] {
            self = .fields((part["items"]?.arrayValue ?? []).map(FileVolume.Field.init))
        } else {
            self = .unsupported(description: (json.objectValue ?? [:]).keys.sorted().joined(separator: ", "))
        }
    }

    private init(_ part: JSONValue, _ settings: ContainerSpec.Settings) {
        let items = part["items"]?.arrayValue?.map { item in
            FileVolume.Item(
                key: item["key"]?.stringValue ?? "", path: item["path"]?.stringValue ?? "",
                mode: item["mode"]?.intValue)
        }
        self = .settings(settings, items: items, isOptional: part["optional"]?.boolValue ?? false)
    }
}

extension FileVolume.Field {
    fileprivate init(_ json: JSONValue) {
        path = json["path"]?.stringValue ?? ""
        mode = json["mode"]?.intValue
        value = .init(reference: json)
    }
}
