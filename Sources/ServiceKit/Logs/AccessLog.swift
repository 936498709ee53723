import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import NIOCore

/// One line per request on standard output; probes and scrapes of the standard endpoints are left out.
package struct AccessLog: Sendable {
    /// How a line looks, as `--access-log` takes it.
    package enum Format: String, Sendable, CaseIterable {
        case text
        case json
        case off
    }

    private struct Line: Encodable {
        let time: String
        let client: String
        let method: String
        let path: String
        let status: Int
        let bytes: Int
        let milliseconds: Double
        let userAgent: String?
        let traceparent: String?
    }

    private static let quiet: Set<String> = ["/healthz/ready", "/healthz/live", "/metrics"]
    private let format: Format
    private let output: @Sendable (String) -> Void

    /// - Parameter output: takes whole lines.
    package init(_ format: Format, output: @escaping @Sendable (String) -> Void = StandardStream.output.write) {
        self.format = format
        self.output = output
    }

    /// - Parameters:
    ///   - length: octets of the answer's body; nil if nobody knows.
    ///   - client: as the socket has it.
    func write(
        _ request: HTTPRequest, status: HTTPResponse.Status, length: Int?, client: SocketAddress?, duration: Duration
    ) {
        guard format != .off, case let uri = URI(request.path ?? ""), !Self.quiet.contains(uri.path) else { return }
        let line = Line(
            time: Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)),
            client: client?.ipAddress ?? "-", method: request.method.rawValue,
            path: Self.printable(uri.string), status: status.code,
            bytes: length ?? 0,
            milliseconds: ((duration / .milliseconds(1)) * 1000).rounded() / 1000,
            userAgent: request.headerFields[.userAgent], traceparent: request.headerFields[Self.traceparent])
        output(format == .json ? Self.json(line) : Self.text(line))
    }

    private static let traceparent = HTTPField.Name("traceparent") ?? .server

    private static func text(_ line: Line) -> String {
        "\(line.time) \(line.client) \"\(line.method) \(line.path)\" \(line.status) \(line.bytes) "
            + "\(line.milliseconds)ms \"\(printable(line.userAgent ?? "-"))\"\n"
    }

    private static func json(_ line: Line) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ((try? encoder.encode(line)).map { String(decoding: $0, as: UTF8.self) } ?? "{}") + "\n"
    }

    /// Without what could end a line or play tricks on terminals, and of bounded length.
    private static func printable(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(512) {
            scalars.append(scalar.properties.generalCategory == .control || scalar == "\"" ? "?" : scalar)
        }
        return String(scalars)
    }
}
