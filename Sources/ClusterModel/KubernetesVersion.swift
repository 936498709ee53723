/// The Kubernetes version that everything here behaves like.
package enum KubernetesVersion {
    package static let major = "1"
    package static let minor = "32"
    /// As `kubectl version` shows it; clients read it as a semantic version.
    package static let text = "v\(major).\(minor).4"
}
