import ClusterModel

/// The OpenAPI v3 documents that kubectl needs to validate, apply and explain (kubectl-wire 3).
enum OpenAPI {
    /// Where each group's document is, by the path in its URL: `api/v1`, `apis/discovery.k8s.io/v1`.
    static let documents: [String: (json: [UInt8], hash: String)] = {
        var documents: [String: (json: [UInt8], hash: String)] = [:]
        for group in [""] + ServedResource.groups {
            let path = group.isEmpty ? "api/v1" : "apis/\(group)/v1"
            let bytes = document(group).serialized()
            documents[path] = (bytes, String(StableHash.fnv1a(bytes), radix: 16))
        }
        return documents
    }()

    static var index: JSONValue {
        let paths = documents.map { path, document in
            (path, JSONValue.object(["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(document.hash)")]))
        }
        return ["paths": .object(Dictionary(paths) { first, _ in first })]
    }

    /// The older document: all groups in one, with the same definitions.
    static let older: [UInt8] = {
        var paths: [String: JSONValue] = [:]
        var definitions: [String: JSONValue] = [:]
        for group in [""] + ServedResource.groups {
            let document = document(group)
            paths.merge(document["paths"]?.objectValue ?? [:]) { first, _ in first }
            definitions.merge(document["components"]?["schemas"]?.objectValue ?? [:]) { first, _ in first }
        }
        let json: JSONValue = [
            "swagger": "2.0", "info": ["title": "Kubernetes", "version": .string(KubernetesVersion.text)],
            "paths": .object(paths.mapValues(olderPath)), "definitions": .object(definitions.mapValues(olderSchema)),
        ]
        return json.serialized()
    }()

    /// Parameters have their type themselves.
    private static func olderPath(_ path: JSONValue) -> JSONValue {
        let parameters = (path["patch"]?["parameters"]?.arrayValue ?? []).map { parameter -> JSONValue in
            var parameter = parameter
            for (key, value) in parameter["schema"]?.objectValue ?? [:] { parameter[key] = value }
            parameter["schema"] = nil
            return parameter
        }
        var path = path
        path["patch"]?["parameters"] = .array(parameters)
        return path
    }

    /// References stand alone and lead elsewhere, and nothing can be one of two types.
    private static func olderSchema(_ schema: JSONValue) -> JSONValue {
        switch schema {
        case .array(let items): return .array(items.map(olderSchema))
        case .object(var members):
            if let reference = members["allOf"]?[0]?["$ref"]?.stringValue {
                members["allOf"] = nil
                members["default"] = nil
                members["$ref"] = .string(reference.replacing("#/components/schemas/", with: "#/definitions/"))
            }
            if members["oneOf"] != nil {
                members["oneOf"] = nil
                members["type"] = "string"
            }
            return .object(members.mapValues(olderSchema))
        default: return schema
        }
    }

    private static func document(_ group: String) -> JSONValue {
        let resources = ServedResource.served(in: group).filter { $0.type?.group == group }
        var paths: [String: JSONValue] = [:]
        for resource in resources {
            let base = group.isEmpty ? "/api/v1" : "/apis/\(group)/v1"
            let path =
                resource.isNamespaced ? "\(base)/namespaces/{namespace}/\(resource.name)" : "\(base)/\(resource.name)"
            paths["\(path)/{name}"] = [
                "patch": [
                    "parameters": [
                        [
                            "name": "fieldValidation", "in": "query",
                            "schema": ["type": "string", "uniqueItems": true],
                        ]
                    ],
                    "responses": ["200": ["description": "OK"]],
                    "x-kubernetes-group-version-kind": [
                        "group": .string(group), "version": "v1", "kind": .string(resource.kind),
                    ],
                ]
            ]
        }
        var schemas: [String: JSONValue] = [
            intOrString: ["format": "int-or-string", "oneOf": [["type": "integer"], ["type": "string"]]]
        ]
        for name in Schema.shared.names {
            guard let definition = Schema.shared.definitions[name] else { continue }
            if let version = definition.apiVersion, version != (group.isEmpty ? "v1" : "\(group)/v1") { continue }
            schemas[fullName(name)] = schema(definition)
        }
        return [
            "openapi": "3.0.0", "info": ["title": "Kubernetes", "version": .string(KubernetesVersion.text)],
            "paths": .object(paths),
            "components": ["schemas": .object(schemas)],
        ]
    }

    private static let intOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"

    private static func fullName(_ name: String) -> String {
        switch name {
        case "ObjectMeta", "OwnerReference", "Condition": "io.k8s.apimachinery.pkg.apis.meta.v1.\(name)"
        case "EndpointSlice", "Endpoint", "EndpointConditions": "io.k8s.api.discovery.v1.\(name)"
        case "Deployment", "DeploymentSpec", "DeploymentStrategy", "RollingUpdateDeployment", "ReplicaSet",
            "ReplicaSetSpec":
            "io.k8s.api.apps.v1.\(name)"
        case "WorkloadSelector": "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"
        case "EndpointSlicePort": "io.k8s.api.discovery.v1.EndpointPort"
        case "Lease", "LeaseSpec": "io.k8s.api.coordination.v1.\(name)"
        case "PodDisruptionBudget", "PodDisruptionBudgetSpec", "PodDisruptionBudgetStatus":
            "io.k8s.api.policy.v1.\(name)"
        default: "io.k8s.api.core.v1.\(name)"
        }
    }

    private static func schema(_ definition: Schema.Definition) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        if definition.apiVersion != nil {
            properties["apiVersion"] = ["type": "string", "description": "The version of this form of the object."]
            properties["kind"] = ["type": "string", "description": "What the object is."]
        }
        for field in definition.fields { properties[field.name] = property(field) }
        var json: JSONValue = [
            "type": "object", "description": .string(definition.description), "properties": .object(properties),
        ]
        let required = definition.fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { json["required"] = .array(required) }
        if let version = definition.apiVersion {
            let parts = version.split(separator: "/").map(String.init)
            json["x-kubernetes-group-version-kind"] = [
                [
                    "group": .string(parts.count > 1 ? parts[0] : ""), "version": "v1",
                    "kind": .string(definition.name),
                ]
            ]
        }
        return json
    }

    private static func property(_ field: Schema.Field) -> JSONValue {
        var json = type(field.type)
        json["description"] = .string(field.description)
        if !field.values.isEmpty { json["enum"] = .array(field.values.map { .string($0) }) }
        if let key = field.mergeKey {
            json["x-kubernetes-patch-merge-key"] = .string(key)
            json["x-kubernetes-patch-strategy"] = "merge"
        }
        return json
    }

    private static func type(_ type: Schema.FieldType) -> JSONValue {
        switch type {
        case .string: ["type": "string"]
        case .integer: ["type": "integer", "format": "int32"]
        case .boolean: ["type": "boolean"]
        case .time: ["type": "string", "format": "date-time"]
        case .intOrString: reference(intOrString)
        case .map: ["type": "object", "additionalProperties": ["type": "string", "default": ""]]
        case .object: ["type": "object"]
        case .list(let element): ["type": "array", "items": self.type(element)]
        case .named(let name): reference(fullName(name))
        }
    }

    private static func reference(_ name: String) -> JSONValue {
        ["allOf": [["$ref": .string("#/components/schemas/\(name)")]], "default": [:]]
    }
}
