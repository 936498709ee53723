/// What happens to a new connection, as a number and as a verdict of the kernel's.
enum Outcome: Hashable, Sendable {
    case refuse
    case drop
    /// The client has a say.
    case special
    /// One of so many endpoints, for clients of a class.
    case pick(count: Int, class: Int)

    /// Those that there are from the beginning.
    static func fixed(isLast: Bool) -> [Outcome] { isLast ? [.refuse, .drop] : [.refuse, .drop, .special] }

    /// The number in our maps.
    var number: UInt32 {
        switch self {
        case .refuse: 0xFFFF_FFF1
        case .drop: 0xFFFF_FFF2
        case .special: 0xFFFF_FFF3
        case .pick(let count, let number): UInt32(number) * Ruleset.slotsPerClass + UInt32(count)
        }
    }

    /// The chain that it leads to; nil for what is dropped at once.
    var chain: String? {
        switch self {
        case .refuse: "refuse"
        case .drop: nil
        case .special: "special"
        case .pick(let count, let number): Ruleset.pickName(count, class: number)
        }
    }

    /// As nft writes it.
    var verdict: String { chain.map { "goto \($0)" } ?? "drop" }
}
