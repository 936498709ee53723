import ClusterAPI
import ClusterModel
import ComposePods
import FoundationEssentials
import Glibc

/// The logs that the pod runtime keeps, for the API.
///
/// A file holds lines `TIME STREAM FLAG TEXT`; each run of a container has a file of its own, named by its number.
struct PodLogFiles: PodLogSource {
    private let directory: StateDirectory

    init(_ directory: StateDirectory) { self.directory = directory }

    func log(of pod: Pod, _ options: PodLogOptions) throws(APIError) -> AsyncStream<[UInt8]> {
        if let service = pod.object.annotations[ReplicaPlan.serviceAnnotation] {
            throw APIError(
                .badRequest,
                "pod \"\(pod.name)\" is a container of docker compose, which keeps its log: docker compose logs \(service)"
            )
        }
        if pod.isMirror {
            throw APIError(
                .badRequest,
                "pod \"\(pod.name)\" is the name server in the suite's own process, which writes to its standard error, "
                    + "with --detach to \(directory.suiteLog); --log-queries makes it say what it is asked")
        }
        let folder = "\(directory.logs)/\(pod.namespace)_\(pod.name)/\(options.container)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let runs = Set(names.compactMap { Int($0.prefix { $0 != "." }) }).sorted()
        guard let last = runs.last else {
            throw APIError(
                .badRequest,
                "container \"\(options.container)\" in pod \"\(pod.name)\" is waiting to start: there is no log yet")
        }
        let run: Int
        if options.isPrevious {
            guard let before = runs.dropLast().last else {
                throw APIError(
                    .badRequest,
                    "previous terminated container \"\(options.container)\" in pod \"\(pod.name)\" not found")
            }
            run = before
        } else {
            run = last
        }
        let files = ["\(folder)/\(run).log.1", "\(folder)/\(run).log"]
        let lines = files.flatMap { Self.lines(of: $0) }
        let selected = Self.selected(lines, options)
        return AsyncStream { continuation in
            var left = options.limitBytes ?? Int.max
            func send(_ line: Substring) {
                let text = Array((Self.shown(line, options.hasTimestamps) + "\n").utf8.prefix(left))
                left -= text.count
                if !text.isEmpty { continuation.yield(text) }
            }
            selected.forEach(send)
            guard options.follows, !options.isPrevious, left > 0 else { return continuation.finish() }
            let (path, start) = (files[1], Self.size(of: files[1]))
            let hasTimestamps = options.hasTimestamps
            let task = Task {
                var offset = start
                while !Task.isCancelled {
                    // A new run has a file of its own: this container has ended.
                    let hasEnded = FileManager.default.fileExists(atPath: "\(folder)/\(run + 1).log")
                    for line in Self.newLines(path, from: &offset) {
                        continuation.yield(Array((Self.shown(line[...], hasTimestamps) + "\n").utf8))
                    }
                    if hasEnded || !FileManager.default.fileExists(atPath: path) { break }
                    try? await Task.sleep(for: .milliseconds(100))
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private static func lines(of path: String) -> [Substring] {
        let text = (try? String(contentsOf: URL(filePath: path), encoding: .utf8)) ?? ""
        return text.split(separator: "\n")
    }

    private static func selected(_ lines: [Substring], _ options: PodLogOptions) -> ArraySlice<Substring> {
        var rest = lines[...]
        if let since = options.since {
            rest = rest.drop { line in
                (Timestamp.unixSeconds(of: String(line.prefix { $0 != " " })) ?? .max) < since
            }
        }
        if let tail = options.tailLines { rest = rest.suffix(max(0, tail)) }
        return rest
    }

    /// The line as it was written, with its time if that is wanted.
    private static func shown(_ line: Substring, _ hasTimestamp: Bool) -> String {
        let text = LogReader.text(ofLine: line)
        return hasTimestamp ? "\(line.prefix { $0 != " " }) \(text)" : String(text)
    }

    private static func size(of path: String) -> UInt64 {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? UInt64 ?? 0
    }

    /// The whole lines behind `offset`, which moves past them.
    private static func newLines(_ path: String, from offset: inout UInt64) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        // A smaller file is another one: the log was rotated.
        if lseek(descriptor, 0, SEEK_END) < off_t(offset) { offset = 0 }
        lseek(descriptor, off_t(offset), SEEK_SET)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while bytes.count < 1 << 20, case let count = read(descriptor, &buffer, buffer.count), count > 0 {
            bytes += buffer[..<count]
        }
        guard let end = bytes.lastIndex(of: 0x0A) else { return [] }
        offset += UInt64(end + 1)
        return String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
