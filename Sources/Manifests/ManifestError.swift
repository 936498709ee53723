/// Why a manifest file cannot be read: where, what and what to do.
package struct ManifestError: Error, Equatable, CustomStringConvertible {
    package let file: String
    /// Counted from 1; nil when the whole file is meant.
    package let line: Int?
    package let reason: String

    package init(file: String, line: Int?, reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    package var description: String {
        line.map { "\(file):\($0): \(reason)" } ?? "\(file): \(reason)"
    }
}
