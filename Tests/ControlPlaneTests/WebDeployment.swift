import ClusterModel

extension KubeObject {
    /// A Deployment `web` of pods with one container.
    ///
    /// - Parameter metadata: of the pods, beside their label `app`.
    static func webDeployment(_ image: String = "a", replicas: Int, metadata: JSONValue = [:]) -> KubeObject {
        var object = KubeObject(.deployments, namespace: "kiada", name: "web")
        var metadata = metadata
        metadata["labels"] = ["app": "web"]
        object.json["spec"] = [
            "replicas": JSONValue(replicas), "selector": ["matchLabels": ["app": "web"]],
            "template": ["metadata": metadata, "spec": ["containers": [["name": "web", "image": .string(image)]]]],
        ]
        return object
    }
}
