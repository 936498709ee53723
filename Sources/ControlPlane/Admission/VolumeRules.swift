import ClusterModel

/// The rules for a pod's volumes and where containers mount them.
enum VolumeRules {
    static func errors(of spec: JSONValue) -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, volume) in (spec["volumes"]?.arrayValue ?? []).enumerated() {
            let path = "spec.volumes[\(index)]"
            let name = volume["name"]?.stringValue ?? ""
            errors += ListedName.errors(name, at: path, names: &names)
            errors += Self.errors(of: volume, at: path)
        }
        for list in ["initContainers", "containers"] {
            for (index, container) in (spec[list]?.arrayValue ?? []).enumerated() {
                errors += mountErrors(of: container, at: "spec.\(list)[\(index)]", volumes: names)
            }
        }
        return errors
    }

    private static func errors(of volume: JSONValue, at path: String) -> [FieldError] {
        var errors: [FieldError] = []
        if let part = volume["configMap"] {
            errors += fileErrors(part, "name", at: "\(path).configMap")
        }
        if let part = volume["secret"] {
            errors += fileErrors(part, "secretName", at: "\(path).secret")
        }
        if let part = volume["projected"] {
            errors += modeErrors(part, "defaultMode", at: "\(path).projected")
            for (index, source) in (part["sources"]?.arrayValue ?? []).enumerated() {
                for kind in ["configMap", "secret"] {
                    guard let part = source[kind] else { continue }
                    errors += fileErrors(part, "name", at: "\(path).projected.sources[\(index)].\(kind)")
                }
            }
        }
        if let part = volume["persistentVolumeClaim"], (part["claimName"]?.stringValue ?? "").isEmpty {
            errors.append(.required("\(path).persistentVolumeClaim.claimName"))
        }
        if let part = volume["hostPath"], (part["path"]?.stringValue ?? "").isEmpty {
            errors.append(.required("\(path).hostPath.path"))
        }
        return errors
    }

    private static func fileErrors(_ part: JSONValue, _ name: String, at path: String) -> [FieldError] {
        var errors: [FieldError] = []
        if (part[name]?.stringValue ?? "").isEmpty { errors.append(.required("\(path).\(name)")) }
        errors += modeErrors(part, "defaultMode", at: path)
        for (index, item) in (part["items"]?.arrayValue ?? []).enumerated() {
            let place = "\(path).items[\(index)]"
            if (item["key"]?.stringValue ?? "").isEmpty { errors.append(.required("\(place).key")) }
            let target = item["path"]?.stringValue ?? ""
            if target.isEmpty { errors.append(.required("\(place).path")) }
            errors += pathErrors(target, at: "\(place).path")
            errors += modeErrors(item, "mode", at: place)
        }
        return errors
    }

    private static func modeErrors(_ part: JSONValue, _ key: String, at path: String) -> [FieldError] {
        guard let mode = part[key]?.intValue, !(0...0o777).contains(mode) else { return [] }
        return [.invalid("\(path).\(key)", mode, "must be a number between 0 and 0777 (octal), both inclusive")]
    }

    private static func pathErrors(_ text: String, at path: String) -> [FieldError] {
        if text.hasPrefix("/") { return [.invalid(path, text, "must be a relative path")] }
        return text.split(separator: "/").contains("..") ? [.invalid(path, text, "must not contain '..'")] : []
    }

    private static func mountErrors(of container: JSONValue, at path: String, volumes: Set<String>) -> [FieldError] {
        var errors: [FieldError] = []
        var taken: Set<String> = []
        for (index, mount) in (container["volumeMounts"]?.arrayValue ?? []).enumerated() {
            let place = "\(path).volumeMounts[\(index)]"
            let name = mount["name"]?.stringValue ?? ""
            if name.isEmpty {
                errors.append(.required("\(place).name"))
            } else if !volumes.contains(name) {
                errors.append(.notFound("\(place).name", name))
            }
            let target = mount["mountPath"]?.stringValue ?? ""
            if target.isEmpty {
                errors.append(.required("\(place).mountPath"))
            } else if !taken.insert(target).inserted {
                errors.append(.invalid("\(place).mountPath", target, "must be unique"))
            }
            errors += pathErrors(mount["subPath"]?.stringValue ?? "", at: "\(place).subPath")
        }
        return errors
    }
}
