import ClusterModel

/// Rules of ConfigMaps and Secrets, in the API server's words.
enum SettingsRules {
    private static let largest = 1 << 20

    static func errors(of object: KubeObject, old: KubeObject?) -> [FieldError] {
        let errors = object.type == .secrets ? secretErrors(object) : configMapErrors(object)
        return errors + (old.map { changeErrors(object, $0) } ?? [])
    }

    private static func configMapErrors(_ object: KubeObject) -> [FieldError] {
        let texts = object.json["data"]?.objectValue ?? [:]
        let binary = object.json["binaryData"]?.objectValue ?? [:]
        var errors = keyErrors("data", texts)
        for key in texts.keys.sorted() where binary[key] != nil {
            errors.append(.invalid("data[\(key)]", key, "duplicate of key present in binaryData"))
        }
        errors += keyErrors("binaryData", binary)
        for key in binary.keys.sorted() where texts[key] != nil {
            errors.append(.invalid("binaryData[\(key)]", key, "duplicate of key present in data"))
        }
        let size = texts.values.reduce(0) { $0 + ($1.stringValue?.utf8.count ?? 0) } + decodedSize(binary)
        if size > largest { errors.append(.tooLong("[]", most: largest)) }
        return errors
    }

    private static func secretErrors(_ object: KubeObject) -> [FieldError] {
        let data = object.json["data"]?.objectValue ?? [:]
        var errors = keyErrors("data", data)
        if decodedSize(data) > largest { errors.append(.tooLong("data", most: largest)) }
        func require(_ keys: String...) {
            for key in keys where data[key] == nil { errors.append(.required("data[\(key)]")) }
        }
        switch object.json["type"]?.stringValue {
        case "kubernetes.io/service-account-token":
            let name = "kubernetes.io/service-account.name"
            if (object.annotations[name] ?? "").isEmpty { errors.append(.required("metadata.annotations[\(name)]")) }
        case "kubernetes.io/dockercfg": require(".dockercfg")
        case "kubernetes.io/dockerconfigjson": require(".dockerconfigjson")
        case "kubernetes.io/basic-auth":
            if data["username"] == nil, data["password"] == nil { require("username", "password") }
        case "kubernetes.io/ssh-auth": require("ssh-privatekey")
        case "kubernetes.io/tls": require("tls.crt", "tls.key")
        default: break
        }
        return errors
    }

    private static func changeErrors(_ object: KubeObject, _ old: KubeObject) -> [FieldError] {
        var errors: [FieldError] = []
        if object.type == .secrets, let type = old.json["type"], type != object.json["type"] {
            errors.append(.invalid("type", object.json["type"]?.stringValue ?? "", "field is immutable"))
        }
        guard old.json["immutable"]?.boolValue == true else { return errors }
        let detail = "field is immutable when `immutable` is set"
        if object.json["immutable"]?.boolValue != true { errors.append(.forbidden("immutable", detail)) }
        for field in ["data", "binaryData"] where object.json[field]?.essence != old.json[field]?.essence {
            errors.append(.forbidden(field, detail))
        }
        return errors
    }

    private static func keyErrors(_ path: String, _ data: [String: JSONValue]) -> [FieldError] {
        data.keys.sorted().flatMap { key in
            FieldError.invalid("\(path)[\(key)]", key, problems: NameRules.settingsKey(key))
        }
    }

    private static func decodedSize(_ data: [String: JSONValue]) -> Int {
        data.values.reduce(0) { $0 + ($1.stringValue?.utf8.count ?? 0) / 4 * 3 }
    }
}
