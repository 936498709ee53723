/// What becomes of an object's dependents when it is deleted.
package enum DeletionPropagation: String, Sendable {
    /// They are deleted once it is gone.
    case background = "Background"
    /// They are deleted first; those that block its deletion have to be gone before it is.
    case foreground = "Foreground"
    /// They stay, without an owner.
    case orphan = "Orphan"

    package static let foregroundFinalizer = "foregroundDeletion"
    package static let orphanFinalizer = "orphan"

    /// What stands in `metadata.finalizers` until the garbage collector has done its part.
    package var finalizer: String? {
        switch self {
        case .background: nil
        case .foreground: Self.foregroundFinalizer
        case .orphan: Self.orphanFinalizer
        }
    }

    /// The finalizers of an object that is deleted this way, from those that it has.
    package func finalizers(from present: [String]) -> [String] {
        present.filter { $0 != Self.foregroundFinalizer && $0 != Self.orphanFinalizer } + (finalizer.map { [$0] } ?? [])
    }
}
