#if os(Linux)
import Glibc

/// Why a container has ended, in its own words: what it wrote into a file for that, or the end of its log.
enum TerminationMessage {
    /// Octets of the file that are shown at most.
    private static let longest = 4096
    /// Octets and lines of the log that are shown instead at most.
    private static let longestLog = 2048
    private static let mostLines = 80

    /// - Parameters:
    ///   - file: where the container wrote it; nil where it could not.
    ///   - log: the file of its log, if that may stand for it.
    /// - Returns: nil for nothing.
    static func text(in file: String?, orEndOf log: String?) -> String? {
        if let file, let octets = octets(of: file, atMost: longest), !octets.isEmpty {
            return String(decoding: octets, as: UTF8.self)
        }
        // Each line has a time and more before it, which is not shown.
        guard let log, let octets = octets(of: log, atMost: 32 * longestLog, fromEnd: true) else { return nil }
        return text(ofLog: String(decoding: octets, as: UTF8.self))
    }

    /// The last lines of a log as they were written.
    private static func text(ofLog log: String) -> String? {
        let lines = log.split(separator: "\n").suffix(mostLines).compactMap { line in
            // TIME STREAM FLAG TEXT; the first line may be cut.
            let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            return parts.count == 4 ? parts[3] : nil
        }
        let text = lines.joined(separator: "\n").utf8.suffix(longestLog)
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    /// The beginning or the end of a file; nil when it cannot be read.
    private static func octets(of path: String, atMost limit: Int, fromEnd: Bool = false) -> ArraySlice<UInt8>? {
        // A pipe that somebody has put there must not hold up the runtime.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = pread(descriptor, &buffer, limit, fromEnd ? max(0, size - limit) : 0)
        return count < 0 ? nil : buffer[..<count]
    }
}
#endif
