import FoundationEssentials

/// Quotes in fortune format: texts with lines of `%` between them.
package struct QuoteFile: Equatable, Sendable {
    /// Larger files are refused: a quote is a few lines.
    package static let largestFile = 1 << 20

    /// Why a file gives no quotes.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// At least one; none is empty.
    package let quotes: [String]

    /// Reads the text of a file; blank texts between two `%` lines are left out.
    package init(parsing text: String, name: String) throws(Failure) {
        var quotes: [String] = []
        var lines: [Substring] = []
        func finish() {
            while lines.first?.allSatisfy(\.isWhitespace) == true { lines.removeFirst() }
            while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
            if !lines.isEmpty { quotes.append(lines.joined(separator: "\n")) }
            lines = []
        }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line == "%" { finish() } else { lines.append(line) }
        }
        finish()
        guard !quotes.isEmpty else {
            throw Failure(description: "\(name) has no quotes: it needs texts with lines of % between them")
        }
        self.quotes = quotes
    }

    /// Reads a file.
    package init(path: String) throws(Failure) {
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
        guard let size else { throw Failure(description: "\(path) cannot be read; name another with --quotes-file") }
        guard size <= Self.largestFile else {
            throw Failure(description: "\(path) has \(size) bytes, more than the \(Self.largestFile) that are read")
        }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw Failure(description: "\(path) cannot be read; name another with --quotes-file")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Failure(description: "\(path) is not UTF-8 text")
        }
        try self.init(parsing: text, name: path)
    }

    /// The tips that ship with the program.
    package static let bundled: QuoteFile = {
        let text = String(decoding: PackageResources.quotes_txt, as: UTF8.self)
        guard let file = try? QuoteFile(parsing: text, name: "quotes.txt") else {
            preconditionFailure("the bundled quotes are part of the program and have quotes")
        }
        return file
    }()
}
