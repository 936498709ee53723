import FoundationEssentials

/// The kubeconfig of a running suite.
package enum KubeconfigFile {
    /// The file's text.
    ///
    /// - Parameter server: the API's URL from where kubectl runs; nil leaves the one at which it listens.
    /// - Throws: ``SuiteError`` when there is no such file.
    package static func text(of directory: StateDirectory, server: String?) throws(SuiteError) -> String {
        let text: String
        do {
            text = try String(contentsOf: URL(filePath: directory.kubeconfig), encoding: .utf8)
        } catch {
            throw SuiteError("there is no \(directory.kubeconfig): does the proxy run, and with this --state-dir?")
        }
        guard let server else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard let key = line.firstRange(of: "server: ") else { return String(line) }
            return line[..<key.upperBound] + server
        }
        .joined(separator: "\n")
    }
}
