/// Durations as `kubectl` shows them in AGE columns (semantics 1.11).
package enum HumanDuration {
    /// The text for a number of whole seconds; a minor unit of zero is left out.
    package static func text(seconds: Int) -> String {
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400)
        func pair(_ major: Int, _ majorUnit: String, _ minor: Int, _ minorUnit: String) -> String {
            minor == 0 ? "\(major)\(majorUnit)" : "\(major)\(majorUnit)\(minor)\(minorUnit)"
        }
        return switch seconds {
        case ..<(-1): "<invalid>"
        case ..<0: "0s"
        case ..<120: "\(seconds)s"
        case ..<600: pair(minutes, "m", seconds % 60, "s")
        case ..<10800: "\(minutes)m"
        case ..<28800: pair(hours, "h", minutes % 60, "m")
        case ..<172_800: "\(hours)h"
        case ..<691_200: pair(days, "d", hours % 24, "h")
        case ..<63_072_000: "\(days)d"
        case ..<252_288_000: pair(days / 365, "y", days % 365, "d")
        default: "\(days / 365)y"
        }
    }
}
