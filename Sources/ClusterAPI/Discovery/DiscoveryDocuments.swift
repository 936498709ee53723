import ClusterModel

/// What clients ask first: groups, versions and resources (kubectl-wire 2).
enum DiscoveryDocuments {
    static let version: JSONValue = [
        "major": .string(KubernetesVersion.major), "minor": .string(KubernetesVersion.minor),
        "gitVersion": .string(KubernetesVersion.text), "gitCommit": "kiada", "gitTreeState": "clean",
        "buildDate": "2025-04-22T00:00:00Z", "goVersion": "none", "compiler": "swiftc", "platform": "linux/amd64",
    ]

    static let aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

    /// Whether a client takes the aggregated form in the version that we have.
    static func wantsAggregated(_ accept: String) -> Bool {
        accept.split(separator: ",").contains { part in
            let pieces = Set(part.split(separator: ";").map { $0.filter { $0 != " " } })
            return pieces.contains("v=v2") && pieces.contains("as=APIGroupDiscoveryList")
        }
    }

    /// `/api` (the core group) or `/apis` (all others), aggregated.
    static func aggregated(core: Bool) -> JSONValue {
        let groups = core ? [""] : ServedResource.groups
        let items = groups.map { group -> JSONValue in
            let metadata: JSONValue = group.isEmpty ? [:] : ["name": .string(group)]
            return [
                "metadata": metadata,
                "versions": [
                    [
                        "version": "v1", "freshness": "Current",
                        "resources": .array(ServedResource.served(in: group).map(aggregated)),
                    ]
                ],
            ]
        }
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": [:],
            "items": .array(items),
        ]
    }

    private static func aggregated(_ resource: ServedResource) -> JSONValue {
        func kind(_ kind: String, _ group: String = "", _ version: String = "") -> JSONValue {
            ["group": .string(group), "version": .string(version), "kind": .string(kind)]
        }
        var json: JSONValue = [
            "resource": .string(resource.name), "responseKind": kind(resource.kind),
            "scope": resource.isNamespaced ? "Namespaced" : "Cluster",
            "singularResource": .string(resource.singular), "verbs": strings(resource.verbs),
        ]
        if !resource.shortNames.isEmpty { json["shortNames"] = strings(resource.shortNames) }
        if !resource.categories.isEmpty { json["categories"] = strings(resource.categories) }
        if !resource.subresources.isEmpty {
            json["subresources"] = .array(
                resource.subresources.map { sub in
                    [
                        "subresource": .string(sub.name),
                        "responseKind": kind(sub.kind.isEmpty ? resource.kind : sub.kind, sub.group, sub.version),
                        "verbs": strings(sub.verbs),
                    ]
                })
        }
        return json
    }

    /// `/api`, plain.
    static func versions(server: String) -> JSONValue {
        [
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": .string(server)]],
        ]
    }

    /// `/apis`, plain.
    static var groupList: JSONValue {
        ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(ServedResource.groups.map(entry))]
    }

    /// `/apis/{group}`; nil for a group that is not served.
    static func group(_ name: String) -> JSONValue? {
        guard ServedResource.groups.contains(name) else { return nil }
        var json = entry(name)
        json["kind"] = "APIGroup"
        json["apiVersion"] = "v1"
        return json
    }

    private static func entry(_ group: String) -> JSONValue {
        let version: JSONValue = ["groupVersion": .string("\(group)/v1"), "version": "v1"]
        return ["name": .string(group), "versions": [version], "preferredVersion": version]
    }

    /// `/api/v1` or `/apis/{group}/v1`, plain; nil for a group that is not served.
    static func resources(group: String) -> JSONValue? {
        let served = ServedResource.served(in: group)
        guard let first = served.first else { return nil }
        let entries = served.flatMap { resource -> [JSONValue] in
            var main: JSONValue = [
                "name": .string(resource.name), "singularName": .string(resource.singular),
                "namespaced": .bool(resource.isNamespaced), "kind": .string(resource.kind),
                "verbs": strings(resource.verbs),
            ]
            if !resource.shortNames.isEmpty { main["shortNames"] = strings(resource.shortNames) }
            if !resource.categories.isEmpty { main["categories"] = strings(resource.categories) }
            let subs = resource.subresources.map { sub -> JSONValue in
                var json: JSONValue = [
                    "name": .string("\(resource.name)/\(sub.name)"), "singularName": "",
                    "namespaced": .bool(resource.isNamespaced),
                    "kind": .string(sub.kind.isEmpty ? resource.kind : sub.kind), "verbs": strings(sub.verbs),
                ]
                if !sub.group.isEmpty {
                    json["group"] = .string(sub.group)
                    json["version"] = .string(sub.version)
                }
                return json
            }
            return [main] + subs
        }
        return [
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(first.groupVersion),
            "resources": .array(entries),
        ]
    }

    private static func strings(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
}
