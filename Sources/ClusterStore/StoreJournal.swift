package import ClusterModel

/// Keeps what the store has acknowledged, beyond the end of the process.
package protocol StoreJournal: AnyObject, Sendable {
    /// Keeps one write; when this returns, the write outlives the process.
    ///
    /// Called under the store's lock, in order of revisions.
    ///
    /// - Parameter object: nil for a deletion.
    /// - Throws: when it cannot be kept; the store then refuses the write.
    func write(_ key: ObjectKey, _ object: KubeObject?, revision: UInt64) throws
}

/// What a journal holds.
package struct StoreContents: Sendable {
    package var objects: [KubeObject] = []
    /// Of the last write.
    package var revision: UInt64 = 0

    package init() {}
}
