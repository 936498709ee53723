package import ClusterModel

/// One change of one object.
package struct WatchEvent: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
    }

    package let kind: Kind
    /// The object after the change; for a deletion, as it was last, with the deletion's resourceVersion.
    package let object: KubeObject
    package let revision: UInt64
    /// The object before a modification, where it is known: for watchers who want only some objects.
    package let previous: KubeObject?

    package init(kind: Kind, object: KubeObject, revision: UInt64, previous: KubeObject? = nil) {
        self.kind = kind
        self.object = object
        self.revision = revision
        self.previous = previous
    }
}

/// Changes of the objects of some types, in order, each at most once.
///
/// The stream ends when its reader is slower than the store's bound allows: the reader then has to list again.
package typealias WatchStream = AsyncStream<WatchEvent>
