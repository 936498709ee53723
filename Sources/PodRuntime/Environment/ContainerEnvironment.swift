package import ClusterModel
package import NetTypes

/// What a container needs to know of the pod that it runs in.
package struct PodFacts: Sendable, Equatable {
    package var podIP: IPAddress
    package var hostIP: IPAddress
    package var nodeName: String
    /// The pod's folder on this machine; volumes and generated files are below it.
    package var folder: String

    package init(podIP: IPAddress, hostIP: IPAddress, nodeName: String, folder: String) {
        self.podIP = podIP
        self.hostIP = hostIP
        self.nodeName = nodeName
        self.folder = folder
    }
}

/// Why the manifest's `env` cannot be turned into variables.
package struct ContainerEnvironmentError: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// Makes the whole environment of a container (semantics 5.4, 5.5).
package enum ContainerEnvironment {
    /// The variables of `container`: the image's, those of Services, the manifest's; a later one wins over an earlier.
    ///
    /// - Parameters:
    ///   - image: what the image map sets for the program, as `ENV` of an image would.
    ///   - services: made by ``ServiceEnvironment``.
    ///   - settings: the content of a ConfigMap or Secret of the pod's namespace; nil when there is none.
    package static func variables(
        for container: ContainerSpec, of pod: Pod, facts: PodFacts, image: [(name: String, value: String)],
        services: [(name: String, value: String)],
        settings: (ContainerSpec.Settings) -> [String: String]? = { _ in nil }
    ) throws(ContainerEnvironmentError) -> [(name: String, value: String)] {
        var known: [String: String] = ["HOSTNAME": pod.effectiveHostname]
        var order = ["HOSTNAME"]
        func set(_ name: String, _ value: String) {
            if known.updateValue(value, forKey: name) == nil { order.append(name) }
        }
        for (name, value) in image { set(name, value) }
        for (name, value) in services { set(name, value) }
        for source in container.variableSources {
            guard let values = settings(source.settings) else {
                if source.isOptional { continue }
                throw ContainerEnvironmentError(description: "\(describe(source.settings)) not found")
            }
            for (key, value) in values.sorted(by: { $0.key < $1.key }) { set(source.prefix + key, value) }
        }
        for variable in container.variables {
            switch variable.source {
            case .value(let text):
                set(variable.name, VariableExpansion.expand(text) { known[$0] })
            case .field(let path):
                guard let value = field(path, of: pod, facts: facts) else {
                    throw ContainerEnvironmentError(
                        description: "env \(variable.name): fieldPath \"\(path)\" is not supported; supported are "
                            + "metadata.name, metadata.namespace, metadata.uid, metadata.labels['KEY'], "
                            + "metadata.annotations['KEY'], spec.nodeName, spec.serviceAccountName, status.podIP, "
                            + "status.podIPs, status.hostIP, status.hostIPs")
                }
                set(variable.name, value)
            case .key(let key, let source, let isOptional):
                guard let values = settings(source) else {
                    if isOptional { continue }
                    throw ContainerEnvironmentError(description: "\(describe(source)) not found")
                }
                guard let value = values[key] else {
                    if isOptional { continue }
                    throw ContainerEnvironmentError(
                        description: "couldn't find key \(key) in \(describe(source)) of namespace \(pod.namespace)")
                }
                set(variable.name, value)
            case .unsupported(let description):
                throw ContainerEnvironmentError(
                    description:
                        "env \(variable.name): valueFrom.\(description) is not supported; use value, fieldRef, configMapKeyRef or secretKeyRef"
                )
            }
        }
        return order.compactMap { name in known[name].map { (name: name, value: $0) } }
    }

    private static func field(_ path: String, of pod: Pod, facts: PodFacts) -> String? {
        switch path {
        case "metadata.name": pod.name
        case "metadata.namespace": pod.namespace
        case "metadata.uid": pod.uid
        case "spec.nodeName": facts.nodeName
        case "spec.serviceAccountName": pod.object.json["spec"]?["serviceAccountName"]?.stringValue ?? "default"
        case "status.podIP", "status.podIPs": facts.podIP.description
        case "status.hostIP", "status.hostIPs": facts.hostIP.description
        default:
            keyed(path, "metadata.labels").map { pod.labels[$0] ?? "" }
                ?? keyed(path, "metadata.annotations").map { pod.object.annotations[$0] ?? "" }
        }
    }

    /// `KEY` of a path such as `metadata.labels['KEY']`.
    private static func keyed(_ path: String, _ stem: String) -> String? {
        guard path.hasPrefix(stem + "['"), path.hasSuffix("']") else { return nil }
        return String(path.dropFirst(stem.count + 2).dropLast(2))
    }

    private static func describe(_ settings: ContainerSpec.Settings) -> String {
        switch settings {
        case .configMap(let name): "configmap \"\(name)\""
        case .secret(let name): "secret \"\(name)\""
        }
    }
}
