package import ClusterModel
package import ClusterStore
package import NetTypes

/// What every cluster has from the start (semantics 1.6, 1.7).
package enum BuiltInObjects {
    /// Makes what is missing: namespaces, the node, the Services `kubernetes` and `kube-dns`.
    package static func create(in store: Store, networks: ClusterNetworks, node: KubeObject) throws(APIError) {
        for name in Namespace.builtIn { try ensure(KubeObject(.namespaces, name: name), in: store) }
        try ensure(node, in: store)
        guard let range = networks.serviceRanges.first else { return }
        try ensure(apiService(address(1, of: range)), in: store)
        try ensure(dnsService(address(10, of: range)), in: store)
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
    package static func node(name: String, address: IPAddress, architecture: String) -> KubeObject {
        var node = KubeObject(.nodes, name: name)
        node.labels = [
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": architecture,
        ]
        node.json["spec"] = [:]
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
        if store.get(slice.key) == nil { _ = try store.create(slice) } else { _ = try store.update(slice) }
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

    private static func dnsService(_ address: IPAddress) -> KubeObject {
        var service = KubeObject(.services, namespace: "kube-system", name: "kube-dns")
        service.labels = [
            "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS",
        ]
        service.json["spec"] = [
            "clusterIP": .string(address.description), "selector": ["k8s-app": "kube-dns"],
            "ports": [
                ["name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53],
                ["name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53],
                ["name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153],
            ],
        ]
        return service
    }
}
