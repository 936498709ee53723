import FoundationEssentials
import Glibc
import ServiceKit

/// Reads the logs that the pod runtime keeps, for `kiada-suite logs`.
package struct LogReader: Sendable {
    /// A container's log files, oldest run first.
    package struct Source: Sendable, Equatable {
        package let pod: String
        package let container: String
        package let files: [String]
    }

    private let directory: StateDirectory

    package init(_ directory: StateDirectory) { self.directory = directory }

    /// The logs of `pod` (`name` or `namespace/name`), or of all pods when it is nil; sorted by name.
    ///
    /// - Throws: ``SuiteError`` that lists the pods which have logs, when `pod` has none.
    package func sources(pod: String?) throws(SuiteError) -> [Source] {
        let files = FileManager.default
        let folders = ((try? files.contentsOfDirectory(atPath: directory.logs)) ?? []).sorted()
        var found: [Source] = []
        for folder in folders {
            let parts = folder.split(separator: "_", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            if let pod, pod != parts[1], pod != "\(parts[0])/\(parts[1])" { continue }
            let path = "\(directory.logs)/\(folder)"
            for container in ((try? files.contentsOfDirectory(atPath: path)) ?? []).sorted() {
                let names = (try? files.contentsOfDirectory(atPath: "\(path)/\(container)")) ?? []
                // "2.log.1" is the older half of "2.log".
                let order = names.sorted { left, right in
                    let numbers = (Int(left.prefix { $0 != "." }) ?? 0, Int(right.prefix { $0 != "." }) ?? 0)
                    return numbers.0 == numbers.1 ? left.count > right.count : numbers.0 < numbers.1
                }
                found.append(
                    Source(pod: parts[1], container: container, files: order.map { "\(path)/\(container)/\($0)" }))
            }
        }
        if found.isEmpty {
            let names = folders.compactMap { $0.split(separator: "_", maxSplits: 1).last }.joined(separator: ", ")
            let known = names.isEmpty ? "There are no logs in \(directory.logs)." : "Pods with logs: \(names)."
            throw SuiteError(pod.map { "no logs of a pod \"\($0)\". \(known)" } ?? known)
        }
        return found
    }

    /// The text of a line of a log file, without time and stream; the whole line if it has another form.
    package static func text(ofLine line: Substring) -> Substring {
        let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count == 4 ? parts[3] : line
    }
}

extension LogReader {
    /// Prints the logs of `pod`, or of all pods with each line's pod in front.
    ///
    /// - Parameter follow: goes on with what is written later, also by later runs of a container, until cancelled.
    package func print(pod: String?, follow: Bool) async throws {
        var offsets: [String: UInt64] = [:]
        let clock = ContinuousClock()
        repeat {
            for source in try sources(pod: pod) {
                for file in source.files {
                    let prefix = pod == nil ? "\(source.pod) | " : ""
                    try printNew(file, from: &offsets[file, default: 0], prefix: prefix)
                }
            }
            if follow { try await clock.sleep(for: .milliseconds(200)) }
        } while follow
    }

    /// Prints the whole lines of `file` behind `offset`.
    private func printNew(_ file: String, from offset: inout UInt64, prefix: String) throws {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // A smaller file is another one: the log was rotated.
        if lseek(descriptor, 0, SEEK_END) < off_t(offset) { offset = 0 }
        lseek(descriptor, off_t(offset), SEEK_SET)
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
            pending += buffer[..<count]
            guard let end = pending.lastIndex(of: 0x0A) else { continue }
            for line in String(decoding: pending[..<end], as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false)
            {
                StandardStream.output.write("\(prefix)\(Self.text(ofLine: line))\n")
            }
            offset += UInt64(end + 1)
            pending.removeFirst(end + 1)
        }
    }
}
