/// What a plane has to change to get from one table to another.
package struct RoutingDiff: Sendable, Equatable {
    /// Frontends that nobody has any more.
    package var removed: [Frontend] = []
    /// Frontends that are new or are to be served differently, with their whole new route.
    package var changed: [FrontendRoute] = []
    /// `changed` is all there is: a frontend that it does not name is removed.
    package var isComplete = false

    /// No change: a plane still takes it as a chance to try again what failed before.
    package init() {}

    /// Everything in `table`, for a plane whose state nobody knows.
    package init(complete table: RoutingTable) {
        changed = table.routes
        isComplete = true
    }

    /// From `old` to `new`, in O(both).
    package init(from old: RoutingTable, to new: RoutingTable) {
        for route in new.routes where old[route.frontend] != route { changed.append(route) }
        for route in old.routes where new[route.frontend] == nil { removed.append(route.frontend) }
    }

    package var isEmpty: Bool { removed.isEmpty && changed.isEmpty && !isComplete }

    mutating func sort() {
        removed.sort()
        changed.sort { $0.frontend < $1.frontend }
    }
}
