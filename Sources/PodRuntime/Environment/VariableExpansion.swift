/// `$(NAME)` references in env values, command and args, as Kubernetes expands them (semantics 5.4).
package enum VariableExpansion {
    /// Replaces each `$(NAME)` that `lookup` knows; unknown references stay, `$$` becomes `$`.
    package static func expand(_ text: String, lookup: (String) -> String?) -> String {
        guard text.contains("$") else { return text }
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.first == "(", let end = rest.firstIndex(of: ")") {
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                result += lookup(name) ?? "$(\(name))"
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
            }
        }
        return result + rest
    }
}
