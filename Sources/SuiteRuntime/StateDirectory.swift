import FoundationEssentials
import Glibc

/// The folder in which one suite keeps everything, `.kiada` unless told otherwise.
///
/// | name | what |
/// |---|---|
/// | `lock` | held by the running suite; holds its process id |
/// | `status.json` | what `kiada-suite status` shows |
/// | `suite.log` | output of a suite started with `--detach` |
/// | `ca.crt`, `ca.key` | the local certificate authority |
/// | `kubeconfig` | how kubectl reaches the suite; holds a private key |
/// | `objects.db` | Services, pods and all other objects |
/// | `pods/`, `volumes/`, `logs/` | the pod runtime's |
package struct StateDirectory: Sendable {
    /// Absolute, without a trailing slash.
    package let path: String

    /// - Parameter path: absolute, or relative to the working directory.
    package init(_ path: String) {
        var full = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        while full.count > 1, full.hasSuffix("/") { full.removeLast() }
        self.path = full
    }

    package var lockFile: String { path + "/lock" }
    package var statusFile: String { path + "/status.json" }
    package var storeFile: String { path + "/objects.db" }
    package var suiteLog: String { path + "/suite.log" }
    package var kubeconfig: String { path + "/kubeconfig" }
    package var caCertificate: String { path + "/ca.crt" }
    package var logs: String { path + "/logs" }

    /// Makes the folder, readable by its owner only, if it is missing.
    package func create() throws(SuiteError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw SuiteError("cannot make the state folder \(path): \(error). Choose another with --state-dir.")
        }
    }
}

/// A failure that ends a command, in words for its user.
package struct SuiteError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
