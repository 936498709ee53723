package import FoundationEssentials

/// Which quote is shown, and since when.
///
/// A value without a clock of its own: ``advance(to:using:)`` is told the time.
package struct QuoteRotation: Sendable {
    /// What is shown now.
    package struct Current: Equatable, Sendable {
        package let text: String
        package let since: Date
    }

    package private(set) var current: Current
    private var quotes: [String]
    /// Seconds that each quote is shown.
    private let interval: TimeInterval

    package init(
        _ file: QuoteFile, interval: TimeInterval, now: Date, using random: inout some RandomNumberGenerator
    ) {
        quotes = file.quotes
        self.interval = interval
        current = Current(text: file.quotes.randomElement(using: &random) ?? "", since: now)
    }

    /// Shows another quote if the present one's time is over; never the same one twice in a row unless it is the only
    /// one.
    package mutating func advance(to now: Date, using random: inout some RandomNumberGenerator) {
        guard now.timeIntervalSince(current.since) >= interval else { return }
        show(now, &random)
    }

    /// Takes the quotes of a file that has changed; the present quote stays until its time is over, if it is among them.
    package mutating func replace(
        with file: QuoteFile, now: Date, using random: inout some RandomNumberGenerator
    ) {
        quotes = file.quotes
        if !quotes.contains(current.text) { show(now, &random) }
    }

    private mutating func show(_ now: Date, _ random: inout some RandomNumberGenerator) {
        let others = quotes.filter { $0 != current.text }
        current = Current(text: others.randomElement(using: &random) ?? current.text, since: now)
    }
}
