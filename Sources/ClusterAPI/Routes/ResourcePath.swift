import ClusterModel

/// What a URL's path names: `/api/v1/[namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE]]` and `/apis/GROUP/v1/...`.
struct ResourcePath {
    let resource: ServedResource
    /// Empty for all namespaces and for kinds without.
    let namespace: String
    /// nil for the collection.
    let name: String?
    let subresource: String?

    /// nil for a path that names nothing that is served.
    init?(_ path: String) {
        var steps = path.split(separator: "/").map { Self.decoded($0) }[...]
        let group: String
        switch steps.popFirst() {
        case "api": group = ""
        case "apis":
            guard let name = steps.popFirst() else { return nil }
            group = name
        default: return nil
        }
        guard steps.popFirst() == "v1", let first = steps.first else { return nil }
        var namespace = ""
        // namespaces/NS/RESOURCE, but namespaces/NS/status is the namespace's own.
        if first == "namespaces", steps.count >= 3,
            let inner = ServedResource.find(group: group, name: steps[steps.startIndex + 2]), inner.isNamespaced
        {
            namespace = steps[steps.startIndex + 1]
            steps = steps.dropFirst(2)
        }
        guard let name = steps.popFirst(), let resource = ServedResource.find(group: group, name: name) else {
            return nil
        }
        guard namespace.isEmpty || resource.isNamespaced else { return nil }
        self.resource = resource
        self.namespace = namespace
        self.name = steps.popFirst()
        subresource = steps.popFirst()
        guard steps.isEmpty else { return nil }
        if resource.isNamespaced, self.name != nil, namespace.isEmpty { return nil }
        if let subresource, !resource.subresources.contains(where: { $0.name == subresource }) { return nil }
    }

    /// The object that is named; nil for a collection and for reviews.
    var key: ObjectKey? {
        guard let type = resource.type, let name else { return nil }
        return ObjectKey(type, namespace: namespace, name: name)
    }

    private static func decoded(_ step: Substring) -> String { PercentCoding.decoded(step, plusIsSpace: false) }
}

/// `%41` and, in queries, `+`.
enum PercentCoding {
    static func decoded(_ text: some StringProtocol, plusIsSpace: Bool) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x2B, plusIsSpace {
                bytes.append(0x20)
            } else if byte == 0x25, rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The parameters of a request.
struct Query {
    private var values: [String: [String]] = [:]

    init(_ text: String?) {
        for pair in (text ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = PercentCoding.decoded(parts[0], plusIsSpace: true)
            let value = parts.count > 1 ? PercentCoding.decoded(parts[1], plusIsSpace: true) : ""
            values[key, default: []].append(value)
        }
    }

    subscript(key: String) -> String? { values[key]?.last }

    /// All values of a parameter that may come several times, in order.
    func all(_ key: String) -> [String] { values[key] ?? [] }

    func flag(_ key: String) -> Bool { ["true", "1"].contains(self[key] ?? "") }

    /// - Throws: BadRequest for anything but a whole number.
    func number(_ key: String) throws(APIError) -> Int? {
        guard let text = self[key], !text.isEmpty else { return nil }
        guard let number = Int(text) else { throw APIError(.badRequest, "\(key)=\(text): must be a whole number") }
        return number
    }

    /// Whether nothing is to be stored.
    ///
    /// - Throws: Invalid for a value that is not known.
    func isDryRun() throws(APIError) -> Bool {
        switch self["dryRun"] {
        case nil, "": return false
        case "All": return true
        case let other?:
            throw APIError(
                .invalid,
                "Invalid value: \"\(other)\": dryRun: Unsupported value: \"\(other)\": supported values: \"All\"")
        }
    }
}
