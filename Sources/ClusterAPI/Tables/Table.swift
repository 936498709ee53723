import ClusterModel

/// A list as people see it: the server renders the cells (kubectl-wire 4).
enum Table {
    struct Column: Sendable {
        let name: String
        var type = "string"
        var format = ""
        /// 1: only with `-o wide`.
        var priority = 0

        init(_ name: String, type: String = "string", format: String = "", wide: Bool = false) {
            self.name = name
            self.type = type
            self.format = format
            priority = wide ? 1 : 0
        }

        var json: JSONValue {
            [
                "name": .string(name), "type": .string(type), "format": .string(format),
                "description": .string(name), "priority": JSONValue(priority),
            ]
        }
    }

    /// How much of each object comes with its row.
    enum Inclusion: String {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    /// - Parameters:
    ///   - revision: the list's resourceVersion.
    ///   - now: seconds since 1970, for ages.
    ///   - hasColumns: false for all but the first table of a watch.
    static func json(
        _ objects: [KubeObject], type: ResourceType, metadata: JSONValue, inclusion: Inclusion, now: Int64,
        hasColumns: Bool = true
    ) -> JSONValue {
        let columns = Self.columns(of: type).map(\.json)
        return [
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "columnDefinitions": hasColumns ? .array(columns) : .null,
            "rows": .array(
                objects.map { object in
                    ["cells": .array(cells(of: object, type: type, now: now)), "object": included(object, inclusion)]
                }),
        ]
    }

    private static func included(_ object: KubeObject, _ inclusion: Inclusion) -> JSONValue {
        switch inclusion {
        case .none: .null
        case .object: object.json
        case .metadata:
            [
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                "metadata": object.json["metadata"] ?? [:],
            ]
        }
    }

    private static func columns(of type: ResourceType) -> [Column] {
        let name = Column("Name", format: "name")
        let age = Column("Age")
        return switch type {
        case .pods:
            [
                name, Column("Ready"), Column("Status"), Column("Restarts"), age, Column("IP", wide: true),
                Column("Node", wide: true), Column("Nominated Node", wide: true),
                Column("Readiness Gates", wide: true),
            ]
        case .services:
            [
                name, Column("Type"), Column("Cluster-IP"), Column("External-IP"), Column("Port(s)"), age,
                Column("Selector", wide: true),
            ]
        case .deployments:
            [
                name, Column("Ready"), Column("Up-to-date"), Column("Available"), age,
                Column("Containers", wide: true), Column("Images", wide: true), Column("Selector", wide: true),
            ]
        case .replicasets:
            [
                name, Column("Desired", type: "integer"), Column("Current", type: "integer"),
                Column("Ready", type: "integer"), age, Column("Containers", wide: true), Column("Images", wide: true),
                Column("Selector", wide: true),
            ]
        case .podtemplates: [name, Column("Containers"), Column("Images"), Column("Pod Labels")]
        case .endpoints: [name, Column("Endpoints"), age]
        case .endpointslices: [name, Column("AddressType"), Column("Ports"), Column("Endpoints"), age]
        case .nodes:
            [
                name, Column("Status"), Column("Roles"), age, Column("Version"), Column("Internal-IP", wide: true),
                Column("External-IP", wide: true), Column("OS-Image", wide: true),
                Column("Kernel-Version", wide: true), Column("Container-Runtime", wide: true),
            ]
        case .namespaces: [name, Column("Status"), age]
        case .configmaps: [name, Column("Data"), age]
        case .secrets: [name, Column("Type"), Column("Data"), age]
        case .serviceaccounts: [name, Column("Secrets"), age]
        case .leases: [name, Column("Holder"), age]
        case .poddisruptionbudgets:
            [
                name, Column("Min Available"), Column("Max Unavailable"),
                Column("Allowed Disruptions", type: "integer"), age,
            ]
        case .persistentvolumeclaims:
            [
                name, Column("Status"), Column("Volume"), Column("Capacity"), Column("Access Modes"),
                Column("StorageClass"), age,
            ]
        case .events:
            [
                Column("Last Seen"), Column("Type"), Column("Reason"), Column("Object"),
                Column("Subobject", wide: true), Column("Source", wide: true), Column("Message"),
                Column("First Seen", wide: true), Column("Count", wide: true),
                Column("Name", format: "name", wide: true),
            ]
        }
    }

    private static func cells(of object: KubeObject, type: ResourceType, now: Int64) -> [JSONValue] {
        let age = Self.age(object.creationTimestamp, now: now)
        let texts: [String] =
            switch type {
            case .pods: [object.name] + PodCells.cells(object, age: age, now: now)
            case .services: [object.name] + ServiceCells.cells(object, age: age)
            case .deployments: [object.name] + WorkloadCells.deployment(object, age: age)
            case .replicasets: [object.name] + WorkloadCells.replicaSet(object, age: age)
            case .podtemplates: [object.name] + WorkloadCells.template(object)
            case .endpoints: [object.name, EndpointCells.endpoints(object), age]
            case .endpointslices:
                [
                    object.name, object.json["addressType"]?.stringValue ?? "", EndpointCells.slicePorts(object),
                    EndpointCells.sliceAddresses(object), age,
                ]
            case .nodes: [object.name] + NodeCells.cells(object, age: age)
            case .namespaces: [object.name, object.json["status"]?["phase"]?.stringValue ?? "", age]
            case .configmaps: [object.name, "\(count(object, ["data", "binaryData"]))", age]
            case .secrets:
                [object.name, object.json["type"]?.stringValue ?? "Opaque", "\(count(object, ["data"]))", age]
            case .serviceaccounts: [object.name, "\(object.json["secrets"]?.arrayValue?.count ?? 0)", age]
            case .leases: [object.name, object.json["spec"]?["holderIdentity"]?.stringValue ?? "", age]
            case .poddisruptionbudgets:
                [object.name]
                    + ["minAvailable", "maxUnavailable"].map { key in
                        IntOrString(object.json["spec"]?[key])?.description ?? "N/A"
                    } + ["\(object.json["status"]?["disruptionsAllowed"]?.intValue ?? 0)", age]
            case .persistentvolumeclaims:
                claimCells(object) + [age]
            case .events: EventCells.cells(object, now: now)
            }
        return texts.map { .string($0) }
    }

    private static func claimCells(_ claim: KubeObject) -> [String] {
        let status = claim.json["status"]
        let short = [
            "ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP",
        ]
        let modes = (status?["accessModes"]?.arrayValue ?? []).compactMap(\.stringValue).map { short[$0] ?? $0 }
        return [
            claim.name, status?["phase"]?.stringValue ?? "Pending",
            claim.json["spec"]?["volumeName"]?.stringValue ?? "",
            status?["capacity"]?["storage"]?.stringValue ?? "", modes.joined(separator: ","),
            claim.json["spec"]?["storageClassName"]?.stringValue ?? "",
        ]
    }

    /// The text of an AGE column.
    static func age(_ timestamp: String?, now: Int64) -> String {
        guard let timestamp, let then = Timestamp.unixSeconds(of: timestamp) else { return "<unknown>" }
        return HumanDuration.text(seconds: Int(now - then))
    }

    private static func count(_ object: KubeObject, _ keys: [String]) -> Int {
        keys.reduce(0) { $0 + (object.json[$1]?.objectValue?.count ?? 0) }
    }
}
