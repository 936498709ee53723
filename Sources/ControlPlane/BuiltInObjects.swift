package import ClusterModel
package import ClusterStore
package import NetTypes

/// What every cluster has from the start (semantics 1.6, 1.7).
package enum BuiltInObjects {
    /// Marks the nodes that this program made.
    private static let ownNodeAnnotation = "kiada.dev/played-node"

    /// Makes what is missing: namespaces, the nodes, the Services `kubernetes` and `kube-dns`.
    ///
    /// Nodes that an earlier run made, and that are not among `nodes`, go.
    package static func create(in store: Store, networks: ClusterNetworks, nodes: [KubeObject]) throws(APIError) {
        for name in Namespace.builtIn { try ensure(KubeObject(.namespaces, name: name), in: store) }
        for old in store.list(.nodes).items
        where old.annotations[ownNodeAnnotation] != nil && !nodes.contains(where: { $0.name == old.name }) {
            _ = try store.delete(old.key)
        }
        for var node in nodes {
            node.annotations[ownNodeAnnotation] = "true"
            if store.get(node.key) == nil {
                _ = try store.create(node)
            } else {
                _ = try store.modify(node.key) { present in
                    // What users add, such as labels, stays; a zone that is no longer given does not.
                    present.labels["topology.kubernetes.io/zone"] = nil
                    present.labels.merge(node.labels) { $1 }
                    present.annotations[ownNodeAnnotation] = "true"
                    present.json["status"] = node.json["status"]
                    for key in ["podCIDR", "podCIDRs"] { present.json["spec"]?[key] = node.json["spec"]?[key] }
                }
            }
        }
        for service in services(networks) { try ensure(service, in: store) }
        // Those that an earlier run made; this one makes its own.
        for pod in store.list(.pods).items where pod.annotations[Pod.mirrorAnnotation] != nil {
            _ = try store.delete(pod.key, gracePeriod: 0)
        }
    }

    /// The Services `kubernetes` and `kube-dns`.
    static func services(_ networks: ClusterNetworks) -> [KubeObject] {
        guard let range = networks.serviceRanges.first else { return [] }
        return [apiService(address(1, of: range)), dnsService(address(10, of: range))]
    }

    /// The cluster IP of the API server's Service: the first usable one.
    package static func apiAddress(_ networks: ClusterNetworks) -> IPAddress? {
        networks.serviceRanges.first.map { address(1, of: $0) }
    }

    /// The cluster IP of the name server's Service: the tenth usable one.
    package static func dnsAddress(_ networks: ClusterNetworks) -> IPAddress? {
        networks.serviceRanges.first.map { address(10, of: $0) }
    }

    /// A node that is ready, with one address.
    ///
    /// - Parameters:
    ///   - zone: for its label; nil for none.
    ///   - podRange: where its pods get their addresses.
    package static func node(
        name: String, address: IPAddress, architecture: String, zone: String? = nil, podRange: CIDR? = nil
    ) -> KubeObject {
        var node = KubeObject(.nodes, name: name)
        node.labels = [
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": architecture,
        ]
        if let zone { node.labels["topology.kubernetes.io/zone"] = zone }
        node.json["spec"] = [:]
        if let podRange {
            node.json["spec"] = [
                "podCIDR": .string(podRange.description), "podCIDRs": [.string(podRange.description)],
            ]
        }
        node.json["status"] = [
            "addresses": [
                ["type": "InternalIP", "address": .string(address.description)],
                ["type": "Hostname", "address": .string(name)],
            ],
            "conditions": [
                ["type": "Ready", "status": "True", "reason": "KubeletReady", "message": "the pod runtime is running"]
            ],
        ]
        return node
    }

    /// Says where the API server listens: the endpoints of the Service `kubernetes` (semantics 1.7).
    package static func setAPIEndpoint(_ address: IPAddress, port: UInt16, in store: Store) throws(APIError) {
        var slice = KubeObject(.endpointslices, namespace: "default", name: "kubernetes")
        slice.labels = [EndpointSlice.serviceNameLabel: "kubernetes"]
        slice.json["addressType"] = .string(address.family.rawValue)
        slice.json["endpoints"] = [
            ["addresses": [.string(address.description)], "conditions": ["ready": true]]
        ]
        slice.json["ports"] = [["name": "https", "port": JSONValue(port), "protocol": "TCP"]]
        try write(slice, to: store)
        var endpoints = KubeObject(.endpoints, namespace: "default", name: "kubernetes")
        // The slice above says the same.
        endpoints.labels = ["endpointslice.kubernetes.io/skip-mirror": "true"]
        endpoints.json["subsets"] = [
            [
                "addresses": [["ip": .string(address.description)]],
                "ports": [["name": "https", "port": JSONValue(port), "protocol": "TCP"]],
            ]
        ]
        try write(endpoints, to: store)
    }

    private static func write(_ object: KubeObject, to store: Store) throws(APIError) {
        if store.get(object.key) == nil { _ = try store.create(object) } else { _ = try store.update(object) }
    }

    private static func ensure(_ object: KubeObject, in store: Store) throws(APIError) {
        if store.get(object.key) == nil { _ = try store.create(object) }
    }

    private static func address(_ index: UInt64, of range: CIDR) -> IPAddress { AddressPool(range).address(at: index) }

    private static func apiService(_ address: IPAddress) -> KubeObject {
        var service = KubeObject(.services, namespace: "default", name: "kubernetes")
        service.labels = ["component": "apiserver", "provider": "kubernetes"]
        service.json["spec"] = [
            "clusterIP": .string(address.description), "ipFamilyPolicy": "SingleStack",
            "ports": [["name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443]],
        ]
        return service
    }

    /// The ports of the name server, the same at its Service and in its pod.
    static let dnsPorts: [(name: String, number: UInt16, proto: String)] = [
        ("dns", DNSPod.queryPort, "UDP"), ("dns-tcp", DNSPod.queryPort, "TCP"), ("metrics", DNSPod.metricsPort, "TCP"),
    ]

    private static func dnsService(_ address: IPAddress) -> KubeObject {
        var service = KubeObject(.services, namespace: "kube-system", name: "kube-dns")
        service.labels = [
            "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS",
        ]
        service.json["spec"] = [
            "clusterIP": .string(address.description), "selector": ["k8s-app": "kube-dns"],
            "ports": .array(
                dnsPorts.map { port in
                    [
                        "name": .string(port.name), "port": JSONValue(port.number), "protocol": .string(port.proto),
                        "targetPort": JSONValue(port.number),
                    ]
                }),
        ]
        return service
    }
}
