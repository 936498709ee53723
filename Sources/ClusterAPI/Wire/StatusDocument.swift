import ClusterModel

/// Errors and confirmations as the API sends them (kubectl-wire 7).
enum StatusDocument {
    /// - Parameters:
    ///   - key: the object that was asked for.
    ///   - kind: its kind, for reasons that name it.
    static func failure(_ error: APIError, key: ObjectKey? = nil, kind: String? = nil) -> JSONValue {
        var details: JSONValue = [:]
        if !error.fieldConflicts.isEmpty {
            details["causes"] = .array(
                error.fieldConflicts.map { conflict -> JSONValue in
                    [
                        "reason": "FieldManagerConflict", "message": .string("conflict with \(conflict.owner)"),
                        "field": .string(conflict.path),
                    ]
                })
        } else if let key = error.missing ?? key {
            if !key.name.isEmpty { details["name"] = .string(key.name) }
            let isInvalid = error.reason == .invalid
            details["kind"] = .string(isInvalid ? kind ?? key.type.kind : key.type.rawValue)
            if !key.type.group.isEmpty { details["group"] = .string(key.type.group) }
        }
        if !error.causes.isEmpty {
            details["causes"] = .array(
                error.causes.map { cause in
                    let tail = cause.description.dropFirst(cause.path.count + 2)
                    return [
                        "reason": .string(reason(cause.kind)), "message": .string(String(tail)),
                        "field": .string(cause.path),
                    ]
                })
        }
        if !error.otherCauses.isEmpty {
            details["causes"] = .array(
                error.otherCauses.map { cause in
                    var json: JSONValue = ["reason": .string(cause.reason), "message": .string(cause.message)]
                    if !cause.field.isEmpty { json["field"] = .string(cause.field) }
                    return json
                })
        }
        details["retryAfterSeconds"] = error.retryAfterSeconds.map { JSONValue($0) }
        var metadata: JSONValue = [:]
        metadata["continue"] = error.continueToken.map { .string($0) }
        var json: JSONValue = [
            "kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure",
            "message": .string(error.message), "reason": .string(error.reason.rawValue),
            "code": JSONValue(error.reason.code),
        ]
        if details.objectValue?.isEmpty == false { json["details"] = details }
        return json
    }

    static func success(_ key: ObjectKey, uid: String?) -> JSONValue {
        var details: JSONValue = ["name": .string(key.name), "kind": .string(key.type.rawValue)]
        if !key.type.group.isEmpty { details["group"] = .string(key.type.group) }
        details["uid"] = uid.map { .string($0) }
        return ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details]
    }

    private static func reason(_ kind: FieldError.Kind) -> String {
        switch kind {
        case .required: "FieldValueRequired"
        case .invalid: "FieldValueInvalid"
        case .unsupported: "FieldValueNotSupported"
        case .duplicate: "FieldValueDuplicate"
        case .forbidden: "FieldValueForbidden"
        case .notFound: "FieldValueNotFound"
        case .tooLong: "FieldValueTooLong"
        case .tooMany: "FieldValueTooMany"
        }
    }
}
