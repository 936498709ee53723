import Synchronization

/// The line below the request information, which whoever runs the pod can change while it runs.
package final class StatusMessage: Sendable {
    private let current: Mutex<String>

    package init(_ text: String) { current = Mutex(Self.printable(text)) }

    package var text: String { current.withLock { $0 } }

    package func change(to text: String) {
        let text = Self.printable(text)
        current.withLock { $0 = text }
    }

    /// `text` without surrounding blanks and without control characters, which would play tricks on terminals.
    private static func printable(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: text.unicodeScalars.filter { $0.properties.generalCategory != .control })
        var line = Substring(String(scalars)).drop { $0 == " " }
        while line.last == " " { line.removeLast() }
        return String(line)
    }
}
