package import ClusterModel
package import NetTypes

/// What a container needs to know of the pod that it runs in.
package struct PodFacts: Sendable, Equatable {
    package var podIP: IPAddress
    /// Addresses of other families.
    package var otherIPs: [IPAddress] = []
    package var hostIP: IPAddress
    package var nodeName: String
    /// The pod's folder on this machine; volumes and generated files are below it.
    package var folder: String
    /// What the node has, by resource: `cpu`, `memory`.
    package var resources: [String: Quantity] = [:]

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
                throw ContainerEnvironmentError(description: "\(source.settings.phrase) not found")
            }
            for (key, value) in values.sorted(by: { $0.key < $1.key }) { set(source.prefix + key, value) }
        }
        for variable in container.variables {
            switch variable.source {
            case .value(let text):
                set(variable.name, VariableExpansion.expand(text) { known[$0] })
            case .field, .resource:
                do {
                    set(
                        variable.name,
                        try PodFields.text(variable.source, of: pod, container: container, facts: facts))
                } catch {
                    throw ContainerEnvironmentError(description: "env \(variable.name): \(error)")
                }
            case .key(let key, let source, let isOptional):
                guard let values = settings(source) else {
                    if isOptional { continue }
                    throw ContainerEnvironmentError(description: "\(source.phrase) not found")
                }
                guard let value = values[key] else {
                    if isOptional { continue }
                    throw ContainerEnvironmentError(
                        description: "couldn't find key \(key) in \(source.phrase) of namespace \(pod.namespace)")
                }
                set(variable.name, value)
            case .unsupported(let description):
                throw ContainerEnvironmentError(
                    description:
                        "env \(variable.name): valueFrom.\(description) is not supported; use value, fieldRef, resourceFieldRef, configMapKeyRef or secretKeyRef"
                )
            }
        }
        return order.compactMap { name in known[name].map { (name: name, value: $0) } }
    }
}
