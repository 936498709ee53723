import ClusterModel
package import NetTypes

/// What `kiada-suite up` was told.
package struct SuiteConfiguration: Sendable {
    /// The names that --log-level takes.
    package static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    package var directory: StateDirectory
    /// A folder of manifests, or one file.
    package var manifests: String
    /// The image map; nil looks for `local/images.yaml` in the manifests' folder.
    package var images: String?
    package var nodeName: String
    package var timeout: Duration
    package var logLevel: String

    package init(
        directory: StateDirectory, manifests: String, images: String?, nodeName: String, timeout: Duration,
        logLevel: String
    ) {
        self.directory = directory
        self.manifests = manifests
        self.images = images
        self.nodeName = nodeName
        self.timeout = timeout
        self.logLevel = logLevel
    }

    /// Why `name` cannot be a node's name; nil when it can.
    package static func problem(withNodeName name: String) -> String? { NameRules.dns1123Subdomain(name) }
}

/// The version of the suite's own programs.
package enum SuiteVersion {
    package static let text = "0.1.0"
}
