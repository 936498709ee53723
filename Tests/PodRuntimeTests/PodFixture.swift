import ClusterModel
import PodRuntime

extension Pod {
    /// A pod with one container `app` of the image `test`, changed by `spec` and `container`.
    static func fixture(
        _ name: String = "web", spec: [String: JSONValue] = [:], container: [String: JSONValue] = [:]
    ) -> Pod {
        var object = KubeObject(.pods, namespace: "kiada", name: name)
        object.uid = "uid-\(name)"
        var app: [String: JSONValue] = ["name": "app", "image": "test"]
        app.merge(container) { $1 }
        var all: [String: JSONValue] = ["containers": [.object(app)], "nodeName": "node"]
        all.merge(spec) { $1 }
        object.json["spec"] = .object(all)
        return Pod(object)
    }
}

extension Moment {
    /// `seconds` after the runtime's start, which was at 1,000,000 s after 1970.
    static func at(_ seconds: Double) -> Moment {
        Moment(elapsed: .milliseconds(Int64(seconds * 1000)), unixSeconds: 1_000_000 + Int64(seconds))
    }
}
