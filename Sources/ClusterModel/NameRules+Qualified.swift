extension NameRules {
    private static let qualifiedHint =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
        + "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

    /// Why `text` is no qualified name (optional `prefix/`, then a name), as keys of labels are.
    package static func qualifiedName(_ text: String) -> [String] {
        let slash = text.utf8.firstIndex(of: UInt8(ascii: "/"))
        let name = slash.map { text[text.utf8.index(after: $0)...] } ?? text[...]
        if name.utf8.contains(UInt8(ascii: "/")) {
            return [
                "a qualified name \(qualifiedHint) with an optional DNS subdomain prefix and '/' "
                    + "(e.g. 'example.com/MyName')"
            ]
        }
        var problems: [String] = []
        if let slash {
            let prefix = text[..<slash]
            problems = prefix.isEmpty ? ["must be non-empty"] : dns1123Subdomain(prefix)
            problems = problems.map { "prefix part \($0)" }
        }
        if name.isEmpty { problems.append("name part must be non-empty") }
        problems += longer(name, than: 63).map { "name part \($0)" }
        let isFine = !name.isEmpty && labelValue(name).allSatisfy { $0.hasPrefix("must be no more") }
        return isFine ? problems : problems + ["name part \(qualifiedHint)"]
    }
}
