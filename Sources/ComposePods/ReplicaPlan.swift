package import ClusterModel
package import NetTypes

/// One container that the engine's resolver knows under a compose service.
package struct Replica: Hashable, Sendable {
    /// The pod's name: ``ContainerName``.
    package let name: String
    /// The primary one first; one of each family at most.
    package let addresses: [IPAddress]

    package init(name: String, addresses: [IPAddress]) {
        self.name = name
        self.addresses = addresses
    }

    /// Puts the addresses of one container together.
    ///
    /// - Parameter names: what PTR records say; an address without one is a container of its own, named after it.
    package static func replicas(of service: String, _ names: [IPAddress: [String]]) -> [Replica] {
        var found: [String: [IPAddress]] = [:]
        for (address, pointers) in names {
            let own = "\(address)".map { $0 == "." || $0 == ":" ? "-" : $0 }
            let name = ContainerName.pod(pointers: pointers, service: service) ?? "\(service)-" + String(own)
            found[name, default: []].append(address)
        }
        return found.map { name, addresses in
            let sorted = addresses.sorted()
            let one = [IPFamily.v4, .v6].compactMap { family in sorted.first { $0.family == family } }
            return Replica(name: name, addresses: one)
        }
        .sorted { $0.name < $1.name }
    }
}

/// Which pods have to come and go so that the store shows the containers there are: a pure function.
package enum ReplicaPlan {
    /// On a PodTemplate: the compose service whose containers are its pods.
    ///
    /// On a pod: where it comes from.
    package static let serviceAnnotation = "kiada.dev/compose-service"
    /// On a pod: its addresses, separated by commas.
    package static let addressAnnotation = "kiada.dev/pod-ip"

    /// On a pod: its template's name, and a hash of what the template said.
    private static let templateAnnotation = "kiada.dev/template"

    package enum Change: Hashable, Sendable {
        case create(KubeObject)
        case delete(ObjectKey)
    }

    /// A PodTemplate together with the containers there are.
    package struct Wanted: Sendable {
        package let template: KubeObject
        package let service: String
        package let replicas: [Replica]

        package init(template: KubeObject, service: String, replicas: [Replica]) {
            self.template = template
            self.service = service
            self.replicas = replicas
        }
    }

    /// Changes in the order in which they have to be made.
    ///
    /// A container with another address, or of a changed template, is another pod of the same name.
    ///
    /// - Parameter present: all pods; those that no plan has made are left alone.
    package static func changes(to present: [KubeObject], for wanted: [Wanted], nodeName: String) -> [Change] {
        var pods: [ObjectKey: KubeObject] = [:]
        for one in wanted {
            for replica in one.replicas {
                let pod = pod(replica, of: one, nodeName)
                if pods[pod.key] == nil { pods[pod.key] = pod }
            }
        }
        var changes: [Change] = []
        var taken: Set<ObjectKey> = []
        for old in present {
            guard old.annotations[serviceAnnotation] != nil else {
                taken.insert(old.key)
                continue
            }
            if let new = pods[old.key], isSame(new, old) {
                taken.insert(old.key)
            } else {
                changes.append(.delete(old.key))
            }
        }
        return changes
            + pods.filter { !taken.contains($0.key) }.sorted { $0.key < $1.key }.map { .create($0.value) }
    }

    /// Labels and other annotations may have been changed by somebody, as with any pod.
    private static func isSame(_ new: KubeObject, _ old: KubeObject) -> Bool {
        [serviceAnnotation, addressAnnotation, templateAnnotation].allSatisfy { key in
            new.annotations[key] == old.annotations[key]
        }
    }

    private static func pod(_ replica: Replica, of wanted: Wanted, _ nodeName: String) -> KubeObject {
        let template = wanted.template.json["template"] ?? [:]
        var pod = KubeObject(.pods, namespace: wanted.template.namespace, name: replica.name)
        pod.labels = template["metadata"]?["labels"]?.stringMap ?? [:]
        var annotations = template["metadata"]?["annotations"]?.stringMap ?? [:]
        annotations[serviceAnnotation] = wanted.service
        annotations[addressAnnotation] = replica.addresses.map(\.description).joined(separator: ",")
        annotations[templateAnnotation] =
            wanted.template.name + "-" + String(StableHash.fnv1a(template.serialized()), radix: 16)
        pod.annotations = annotations
        pod.json["spec"] = template["spec"] ?? [:]
        pod.json["spec"]?["nodeName"] = .string(nodeName)
        return pod
    }
}
