import FoundationEssentials
import Glibc

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
                found.append(Source(pod: parts[1], container: container, files: order.map { "\(path)/\(container)/\($0)" }))
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
