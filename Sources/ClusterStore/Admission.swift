package import ClusterModel

/// Decides over writes: fills in defaults, validates, and hands out addresses and ports.
///
/// Called under the store's lock, so it must be quick and must not call the store. A create or update is all or
/// nothing (semantics 2.5): when `admit` throws, it has allocated nothing.
package protocol Admission: AnyObject, Sendable {
    /// Makes `object` fit to be stored.
    ///
    /// - Parameters:
    ///   - old: what is stored now; nil for a create.
    ///   - isDryRun: true when nothing will be stored: allocate nothing.
    func admit(_ object: inout KubeObject, replacing old: KubeObject?, isDryRun: Bool) throws(APIError)

    /// `object` is gone: what it held is free again.
    func released(_ object: KubeObject)
}

/// Admits everything as it is.
package final class OpenAdmission: Admission {
    package init() {}
    package func admit(_ object: inout KubeObject, replacing old: KubeObject?, isDryRun: Bool) {}
    package func released(_ object: KubeObject) {}
}
