import ClusterModel
import ClusterStore
import Testing

@Suite("ConfigMaps and Secrets")
struct SettingsRulesTests {
    private let store: Store

    init() throws { store = try Cluster().store }

    private func refusal(_ type: ResourceType, _ fields: JSONValue) -> String {
        var object = KubeObject(type, namespace: "kiada", name: "x")
        for (key, value) in fields.objectValue ?? [:] { object.json[key] = value }
        do throws(APIError) {
            _ = try store.create(object, isDryRun: true)
            return "created"
        } catch {
            return error.message
        }
    }

    private static let key =
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
        + "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

    @Test("keys, and how much there may be")
    func keys() {
        #expect(refusal(.configmaps, ["data": ["a.b_C-1": "x"]]) == "created")
        #expect(
            refusal(.configmaps, ["data": ["b c": "x"]])
                == #"ConfigMap "x" is invalid: data[b c]: Invalid value: "b c": \#(Self.key)"#)
        #expect(
            refusal(.configmaps, ["data": ["..a": "x"]])
                == #"ConfigMap "x" is invalid: data[..a]: Invalid value: "..a": must not start with '..'"#)
        #expect(
            refusal(.configmaps, ["data": ["a": "x"], "binaryData": ["a": "eA=="]]).contains(
                #"data[a]: Invalid value: "a": duplicate of key present in binaryData"#))
        let large = String(repeating: "x", count: 1 << 20)
        #expect(refusal(.configmaps, ["data": ["a": .string(large)]]) == "created")
        #expect(
            refusal(.configmaps, ["data": ["a": .string(large + "x")]])
                == #"ConfigMap "x" is invalid: []: Too long: may not be more than 1048576 bytes"#)
    }

    @Test("what types of Secrets need")
    func types() {
        #expect(
            refusal(.secrets, ["type": "kubernetes.io/tls", "data": ["a": "eA=="]])
                == #"Secret "x" is invalid: [data[tls.crt]: Required value, data[tls.key]: Required value]"#)
        #expect(
            refusal(.secrets, ["type": "kubernetes.io/basic-auth", "stringData": ["username": "me"]]) == "created")
        #expect(
            refusal(.secrets, ["type": "kubernetes.io/dockerconfigjson"])
                == #"Secret "x" is invalid: data[.dockerconfigjson]: Required value"#)
    }

    @Test("what is immutable stays as it is; labels may change")
    func immutable() throws {
        var map = KubeObject(.configmaps, namespace: "kiada", name: "fixed")
        map.json["data"] = ["a": "1"]
        map.json["immutable"] = true
        var made = try store.create(map)
        made.labels = ["any": "thing"]
        made = try store.update(made)
        made.json["data"] = ["a": "2"]
        made.json["immutable"] = nil
        #expect(throws: APIError.self) { try store.update(made) }
        var secret = KubeObject(.secrets, namespace: "kiada", name: "typed")
        secret = try store.create(secret)
        secret.json["type"] = "example.com/other"
        #expect(throws: APIError.self) { try store.update(secret) }
    }
}
