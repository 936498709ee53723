import FoundationEssentials

/// An error in JSON: `{"error":"..."}`, as kiada sends it and as it may come from a dependency.
package struct ErrorBody: Codable, Equatable, Sendable {
    private let error: String

    package var message: String { error }

    package init(message: String) { error = message }

    /// Reads what a peer says about its failure: the `error` of a JSON object, else the first line of a plain text
    /// without the word ERROR before it, at most 200 characters.
    package init(_ body: [UInt8]) {
        if let decoded = try? JSONDecoder().decode(ErrorBody.self, from: Data(body)) {
            self = decoded
            return
        }
        let text = String(validating: body, as: UTF8.self) ?? ""
        let line = text.split(whereSeparator: \.isNewline).first.map { String($0) } ?? ""
        let isPlain = !line.hasPrefix("<") && !line.hasPrefix("{") && !line.unicodeScalars.contains { $0.value < 32 }
        let message = line.hasPrefix("ERROR: ") ? String(line.dropFirst(7)) : line
        error = isPlain ? String(message.prefix(200)) : ""
    }
}
