extension NameRules {
    private static let qualifiedHint =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
        + "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

    /// Why `text` is no qualified name (optional `prefix/`, then a name), as keys of labels are; nil when it is one.
    package static func qualifiedName(_ text: String) -> String? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 2 {
            return "a qualified name \(qualifiedHint) with an optional DNS subdomain prefix and '/' "
                + "(e.g. 'example.com/MyName')"
        }
        if parts.count == 2 {
            if parts[0].isEmpty { return "prefix part must be non-empty" }
            if let problem = dns1123Subdomain(parts[0]) { return "prefix part \(problem)" }
        }
        let name = parts[parts.count - 1]
        if name.isEmpty { return "name part must be non-empty" }
        if name.utf8.count > 63 { return "name part must be no more than 63 characters" }
        return labelValue(name) == nil ? nil : "name part \(qualifiedHint)"
    }
}
