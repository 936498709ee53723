import ClusterModel

/// What of a list's or a watch's options goes together, in the API server's words.
enum ListOptionRules {
    private static let match = "resourceVersionMatch"
    private static let notOlder = "NotOlderThan"

    static func check(_ query: Query) throws(APIError) {
        var errors: [FieldError] = []
        if let value = text(query, match) {
            let version = text(query, "resourceVersion")
            if version == nil {
                errors.append(.forbidden(match, "\(match) is forbidden unless resourceVersion is provided"))
            }
            if text(query, "continue") != nil {
                errors.append(.forbidden(match, "\(match) is forbidden when continue is provided"))
            }
            if value != "Exact", value != notOlder {
                errors.append(.unsupported(match, value, supported: ["Exact", notOlder]))
            }
            if value == "Exact", version == "0" {
                errors.append(.forbidden(match, "\(match) \"exact\" is forbidden for resourceVersion \"0\""))
            }
        }
        if query["sendInitialEvents"] != nil {
            errors.append(.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
        }
        try refuse(errors)
    }

    static func checkWatch(_ query: Query) throws(APIError) {
        var errors: [FieldError] = []
        let value = text(query, match)
        let sendsInitial = query["sendInitialEvents"] != nil
        if sendsInitial, value != notOlder {
            errors.append(.forbidden(match, "sendInitialEvents requires setting \(match) to \(notOlder)"))
        }
        if let value {
            if !sendsInitial {
                errors.append(.forbidden(match, "\(match) is forbidden for watch unless sendInitialEvents is provided"))
            }
            if value != notOlder { errors.append(.unsupported(match, value, supported: [notOlder])) }
        }
        try refuse(errors)
    }

    private static func text(_ query: Query, _ key: String) -> String? {
        query[key].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func refuse(_ errors: [FieldError]) throws(APIError) {
        guard !errors.isEmpty else { return }
        let list = errors.map(\.description).joined(separator: ", ")
        throw APIError(
            .invalid, "ListOptions.meta.k8s.io \"\" is invalid: \(errors.count == 1 ? list : "[\(list)]")",
            causes: errors)
    }
}
