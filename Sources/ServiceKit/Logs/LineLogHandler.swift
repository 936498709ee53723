import FoundationEssentials
package import Logging

/// Writes log messages to standard error, as text or as one JSON object per line.
package struct LineLogHandler: LogHandler {
    private struct Line: Encodable {
        let time: String
        let level: String
        let program: String
        let message: String
        let metadata: [String: String]
    }

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let isJSON: Bool

    package init(label: String, level: Logger.Level, isJSON: Bool) {
        self.label = label
        self.isJSON = isJSON
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata.merging(event.metadata ?? [:]) { $1 }
        all["hb.request.id"] = nil
        let pairs = all.mapValues(\.description)
        let time = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        if isJSON {
            let line = Line(
                time: time, level: event.level.rawValue, program: label, message: event.message.description,
                metadata: pairs)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let text = (try? encoder.encode(line)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
            StandardStream.error.write(text + "\n")
        } else {
            let rest = pairs.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            StandardStream.error.write("\(time) \(event.level.rawValue) \(label): \(event.message)\(rest)\n")
        }
    }
}
