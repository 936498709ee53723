import ClusterModel

/// The rule for the names of a list's entries, such as containers and volumes.
enum ListedName {
    /// - Parameters:
    ///   - path: the entry's, without `.name`.
    ///   - names: those of the entries before; a new one is added.
    static func errors(_ name: String, at path: String, names: inout Set<String>) -> [FieldError] {
        if name.isEmpty { return [.required("\(path).name")] }
        var errors = FieldError.invalid("\(path).name", name, problems: NameRules.dns1123Label(name))
        if !names.insert(name).inserted {
            errors.append(.duplicate("\(path).name", printed: FieldError.quoted(name)))
        }
        return errors
    }
}
