import ClusterModel

/// Reads the protobuf bodies that `kubectl create KIND` and `kubectl auth` send (kubectl-wire 8).
enum ProtobufDecoder {
    struct Failure: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    private indirect enum FieldType: Sendable {
        case string
        case bytes
        case int
        case bool
        /// Written also when it is zero: a pointer in Go.
        case pointerInt
        case pointerBool
        case map
        case byteMap
        case time
        case intOrString
        case message(String)
        case list(FieldType)
    }

    private static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0x00]

    /// Number, name and type of each field, by message.
    private static let messages: [String: [Int: (String, FieldType)]] = [
        "ObjectMeta": [
            1: ("name", .string), 2: ("generateName", .string), 3: ("namespace", .string), 5: ("uid", .string),
            6: ("resourceVersion", .string), 7: ("generation", .int), 8: ("creationTimestamp", .time),
            11: ("labels", .map), 12: ("annotations", .map), 14: ("finalizers", .list(.string)),
        ],
        "ConfigMap": [
            1: ("metadata", .message("ObjectMeta")), 2: ("data", .map), 3: ("binaryData", .byteMap),
            4: ("immutable", .pointerBool),
        ],
        "Secret": [
            1: ("metadata", .message("ObjectMeta")), 2: ("data", .byteMap), 3: ("type", .string),
            4: ("stringData", .map), 5: ("immutable", .pointerBool),
        ],
        "Namespace": [1: ("metadata", .message("ObjectMeta"))],
        "ServiceAccount": [
            1: ("metadata", .message("ObjectMeta")), 4: ("automountServiceAccountToken", .pointerBool),
        ],
        "Service": [1: ("metadata", .message("ObjectMeta")), 2: ("spec", .message("ServiceSpec"))],
        "ServiceSpec": [
            1: ("ports", .list(.message("ServicePort"))), 2: ("selector", .map), 3: ("clusterIP", .string),
            4: ("type", .string), 5: ("externalIPs", .list(.string)), 7: ("sessionAffinity", .string),
            8: ("loadBalancerIP", .string), 9: ("loadBalancerSourceRanges", .list(.string)),
            10: ("externalName", .string), 11: ("externalTrafficPolicy", .string), 12: ("healthCheckNodePort", .int),
            13: ("publishNotReadyAddresses", .bool), 14: ("sessionAffinityConfig", .message("SessionAffinityConfig")),
            17: ("ipFamilyPolicy", .string), 18: ("clusterIPs", .list(.string)), 19: ("ipFamilies", .list(.string)),
            20: ("allocateLoadBalancerNodePorts", .pointerBool), 21: ("loadBalancerClass", .string),
            22: ("internalTrafficPolicy", .string), 23: ("trafficDistribution", .string),
        ],
        "SessionAffinityConfig": [1: ("clientIP", .message("ClientIPConfig"))],
        "ClientIPConfig": [1: ("timeoutSeconds", .pointerInt)],
        "ServicePort": [
            1: ("name", .string), 2: ("protocol", .string), 3: ("port", .int), 4: ("targetPort", .intOrString),
            5: ("nodePort", .int), 6: ("appProtocol", .string),
        ],
        "Deployment": [1: ("metadata", .message("ObjectMeta")), 2: ("spec", .message("DeploymentSpec"))],
        "DeploymentSpec": [
            1: ("replicas", .pointerInt), 2: ("selector", .message("LabelSelector")),
            3: ("template", .message("PodTemplateSpec")), 4: ("strategy", .message("DeploymentStrategy")),
            5: ("minReadySeconds", .int), 6: ("revisionHistoryLimit", .pointerInt), 7: ("paused", .bool),
            9: ("progressDeadlineSeconds", .pointerInt),
        ],
        "PodDisruptionBudget": [
            1: ("metadata", .message("ObjectMeta")), 2: ("spec", .message("PodDisruptionBudgetSpec")),
        ],
        "PodDisruptionBudgetSpec": [
            1: ("minAvailable", .intOrString), 2: ("selector", .message("LabelSelector")),
            3: ("maxUnavailable", .intOrString), 4: ("unhealthyPodEvictionPolicy", .string),
        ],
        "LabelSelector": [1: ("matchLabels", .map), 2: ("matchExpressions", .list(.message("Expression")))],
        "Expression": [1: ("key", .string), 2: ("operator", .string), 3: ("values", .list(.string))],
        "PodTemplateSpec": [1: ("metadata", .message("ObjectMeta")), 2: ("spec", .message("PodSpec"))],
        "DeploymentStrategy": [1: ("type", .string), 2: ("rollingUpdate", .message("RollingUpdate"))],
        "RollingUpdate": [1: ("maxUnavailable", .intOrString), 2: ("maxSurge", .intOrString)],
        "PodSpec": [
            2: ("containers", .list(.message("Container"))), 3: ("restartPolicy", .string),
            4: ("terminationGracePeriodSeconds", .pointerInt), 6: ("dnsPolicy", .string), 7: ("nodeSelector", .map),
            8: ("serviceAccountName", .string), 10: ("nodeName", .string), 16: ("hostname", .string),
            17: ("subdomain", .string), 20: ("initContainers", .list(.message("Container"))),
        ],
        "Container": [
            1: ("name", .string), 2: ("image", .string), 3: ("command", .list(.string)), 4: ("args", .list(.string)),
            5: ("workingDir", .string), 6: ("ports", .list(.message("ContainerPort"))),
            7: ("env", .list(.message("EnvVar"))), 14: ("imagePullPolicy", .string),
        ],
        "ContainerPort": [
            1: ("name", .string), 2: ("hostPort", .int), 3: ("containerPort", .int), 4: ("protocol", .string),
            5: ("hostIP", .string),
        ],
        "EnvVar": [1: ("name", .string), 2: ("value", .string)],
        "Eviction": [1: ("metadata", .message("ObjectMeta")), 2: ("deleteOptions", .message("DeleteOptions"))],
        "DeleteOptions": [
            1: ("gracePeriodSeconds", .pointerInt), 2: ("preconditions", .message("Preconditions")),
            3: ("orphanDependents", .pointerBool), 4: ("propagationPolicy", .string), 5: ("dryRun", .list(.string)),
        ],
        "Preconditions": [1: ("uid", .string), 2: ("resourceVersion", .string)],
        "SelfSubjectAccessReview": [
            1: ("metadata", .message("ObjectMeta")), 2: ("spec", .message("AccessReviewSpec")),
        ],
        "AccessReviewSpec": [
            1: ("resourceAttributes", .message("ResourceAttributes")),
            2: ("nonResourceAttributes", .message("NonResourceAttributes")),
        ],
        "ResourceAttributes": [
            1: ("namespace", .string), 2: ("verb", .string), 3: ("group", .string), 4: ("version", .string),
            5: ("resource", .string), 6: ("subresource", .string), 7: ("name", .string),
        ],
        "NonResourceAttributes": [1: ("path", .string), 2: ("verb", .string)],
        "SelfSubjectRulesReview": [
            1: ("metadata", .message("ObjectMeta")), 2: ("spec", .message("RulesReviewSpec")),
        ],
        "RulesReviewSpec": [1: ("namespace", .string)],
        "SelfSubjectReview": [1: ("metadata", .message("ObjectMeta"))],
    ]

    static func object(from bytes: [UInt8]) throws(Failure) -> JSONValue {
        guard bytes.starts(with: magic) else { throw Failure(description: "not a Kubernetes protobuf body") }
        var apiVersion = ""
        var kind = ""
        var raw: ArraySlice<UInt8> = []
        for field in try fields(bytes.dropFirst(magic.count)) {
            switch (field.number, field.value) {
            case (1, .bytes(let type)):
                for part in try fields(type) {
                    guard case .bytes(let text) = part.value else { continue }
                    if part.number == 1 { apiVersion = String(decoding: text, as: UTF8.self) }
                    if part.number == 2 { kind = String(decoding: text, as: UTF8.self) }
                }
            case (2, .bytes(let value)): raw = value
            default: continue
            }
        }
        guard messages[kind] != nil else {
            throw Failure(description: "protobuf bodies of kind \"\(kind)\" cannot be read; send JSON")
        }
        var json = try message(kind, raw, depth: 0) ?? [:]
        json["apiVersion"] = .string(apiVersion)
        json["kind"] = .string(kind)
        return json
    }

    private enum Value {
        case varint(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private static func fields(_ bytes: ArraySlice<UInt8>) throws(Failure) -> [(number: Int, value: Value)] {
        var rest = bytes
        var found: [(number: Int, value: Value)] = []
        while !rest.isEmpty {
            let key = try varint(&rest)
            let number = Int(key >> 3)
            switch key & 7 {
            case 0: found.append((number, .varint(try varint(&rest))))
            case 2:
                let length = try varint(&rest)
                guard length <= UInt64(rest.count) else { throw Failure(description: "a field is cut off") }
                found.append((number, .bytes(rest.prefix(Int(length)))))
                rest = rest.dropFirst(Int(length))
            case 1: rest = try dropped(8, rest)
            case 5: rest = try dropped(4, rest)
            default: throw Failure(description: "unknown wire type \(key & 7)")
            }
        }
        return found
    }

    private static func dropped(_ count: Int, _ bytes: ArraySlice<UInt8>) throws(Failure) -> ArraySlice<UInt8> {
        guard bytes.count >= count else { throw Failure(description: "a field is cut off") }
        return bytes.dropFirst(count)
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = bytes.popFirst() else { throw Failure(description: "a number is cut off") }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw Failure(description: "a number is too long")
    }

    /// nil for a message without content, which stands for an absent field.
    private static func message(_ name: String, _ bytes: ArraySlice<UInt8>, depth: Int) throws(Failure) -> JSONValue? {
        guard let known = messages[name], depth < 16 else { return nil }
        var json: [String: JSONValue] = [:]
        for field in try fields(bytes) {
            guard let (key, type) = known[field.number] else { continue }
            switch type {
            case .map, .byteMap:
                guard case .bytes(let entry) = field.value else { continue }
                let (name, value) = try mapEntry(entry, isBytes: { if case .byteMap = type { true } else { false } }())
                var map = json[key]?.objectValue ?? [:]
                map[name] = value
                json[key] = .object(map)
            case .list(let element):
                guard let value = try single(field.value, element, depth, keepsEmpty: true) else { continue }
                json[key] = .array((json[key]?.arrayValue ?? []) + [value])
            default:
                if let value = try single(field.value, type, depth, keepsEmpty: false) { json[key] = value }
            }
        }
        return json.isEmpty ? nil : .object(json)
    }

    private static func single(
        _ value: Value, _ type: FieldType, _ depth: Int, keepsEmpty: Bool
    ) throws(Failure) -> JSONValue? {
        switch (value, type) {
        case (.bytes(let bytes), .string):
            let text = String(decoding: bytes, as: UTF8.self)
            return text.isEmpty && !keepsEmpty ? nil : .string(text)
        case (.bytes(let bytes), .bytes): return .string(Base64.text(bytes))
        case (.varint(let number), .int): return number == 0 ? nil : JSONValue(Int64(bitPattern: number))
        case (.varint(let number), .pointerInt): return JSONValue(Int64(bitPattern: number))
        case (.varint(let number), .bool): return number == 0 ? nil : true
        case (.varint(let number), .pointerBool): return .bool(number != 0)
        case (.bytes(let bytes), .time):
            guard case .varint(let seconds)? = try fields(bytes).first(where: { $0.number == 1 })?.value else {
                return nil
            }
            return .string(Timestamp.text(unixSeconds: Int64(clamping: seconds)))
        case (.bytes(let bytes), .intOrString): return try intOrString(bytes)
        case (.bytes(let bytes), .message(let name)):
            return try message(name, bytes, depth: depth + 1) ?? (keepsEmpty ? [:] : nil)
        default: return nil
        }
    }

    private static func intOrString(_ bytes: ArraySlice<UInt8>) throws(Failure) -> JSONValue? {
        var isString = false
        var number: Int64 = 0
        var text = ""
        for field in try fields(bytes) {
            switch (field.number, field.value) {
            case (1, .varint(let type)): isString = type == 1
            case (2, .varint(let value)): number = Int64(bitPattern: value)
            case (3, .bytes(let value)): text = String(decoding: value, as: UTF8.self)
            default: continue
            }
        }
        if isString { return text.isEmpty ? nil : .string(text) }
        return number == 0 ? nil : JSONValue(number)
    }

    private static func mapEntry(_ bytes: ArraySlice<UInt8>, isBytes: Bool) throws(Failure) -> (String, JSONValue) {
        var key = ""
        var value: ArraySlice<UInt8> = []
        for field in try fields(bytes) {
            guard case .bytes(let part) = field.value else { continue }
            if field.number == 1 { key = String(decoding: part, as: UTF8.self) }
            if field.number == 2 { value = part }
        }
        return (key, .string(isBytes ? Base64.text(value) : String(decoding: value, as: UTF8.self)))
    }
}
