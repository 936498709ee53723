import ClusterModel

/// The rule for the names of a list's entries, such as containers and volumes.
enum ListedName {
    /// - Parameters:
    ///   - path: the entry's, without `.name`.
    ///   - names: those of the entries before; a good new one is added.
    static func error(_ name: String, at path: String, names: inout Set<String>) -> FieldError? {
        if name.isEmpty { return .required("\(path).name") }
        if let problem = NameRules.dns1123Label(name) { return .invalid("\(path).name", name, problem) }
        return names.insert(name).inserted ? nil : .duplicate("\(path).name", printed: FieldError.quoted(name))
    }
}
