import ServiceRouting

/// Frontends that cannot be served now, to be tried again, and why: a value without I/O.
///
/// There may be thousands where descriptors are few, and each change asks for all of them: their list is made anew only after a
/// change to them.
struct UnservedFrontends {
    private var problems: [Frontend: FrontendProblem] = [:]
    private var sorted: [FrontendProblem]?

    subscript(frontend: Frontend) -> FrontendProblem? {
        get { problems[frontend] }
        set {
            guard problems[frontend] != newValue else { return }
            problems[frontend] = newValue
            sorted = nil
        }
    }

    /// Forgets all but these.
    mutating func keep(_ wanted: Set<Frontend>) {
        problems = problems.filter { wanted.contains($0.key) }
        sorted = nil
    }

    /// In the order of the frontends.
    mutating func list() -> [FrontendProblem] {
        if let sorted { return sorted }
        let list = problems.values.sorted { $0.route.frontend < $1.route.frontend }
        sorted = list
        return list
    }
}
