import ClusterModel
import ClusterStore
import Logging

/// Keeps the certificate of the authority that certifies the API server in every namespace, as a ConfigMap for clients in pods.
struct RootCertificatePublisher {
    private static let name = "kube-root-ca.crt"
    private static let key = "ca.crt"
    /// Says to people who find it what it is, as in a cluster.
    private static let description =
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
        + "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
        + "clusters."

    let store: Store
    let certificatePEM: String
    let logger: Logger

    /// Runs until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            guard let stream = try? store.watch([.namespaces, .configmaps]) else { continue }
            for await event in stream {
                let object = event.object
                if object.type == .namespaces {
                    if event.kind == .added { publish(in: object.name) }
                } else if object.name == Self.name {
                    publish(in: object.namespace)
                }
            }
        }
    }

    private func publish(in namespace: String) {
        var wanted = KubeObject(.configmaps, namespace: namespace, name: Self.name)
        wanted.annotations = ["kubernetes.io/description": Self.description]
        wanted.json["data"] = [Self.key: .string(certificatePEM)]
        do throws(APIError) {
            guard let present = store.get(wanted.key) else {
                _ = try store.create(wanted)
                return
            }
            guard present.json["data"] != wanted.json["data"], present.deletionTimestamp == nil else { return }
            _ = try store.modify(wanted.key) { $0.json["data"] = wanted.json["data"] }
        } catch {
            // The namespace may be on its way out, or somebody else was faster.
            if ![.notFound, .forbidden, .alreadyExists, .conflict].contains(error.reason) {
                logger.warning("the root certificate is not in a namespace", metadata: ["reason": "\(error)"])
            }
        }
    }
}
