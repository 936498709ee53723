import NetTypes
import ServiceRouting

/// A set or map of our tables, named as `nft list table` shows it.
enum SetName: Hashable, Sendable, CustomStringConvertible {
    /// What happens first to a new connection: frontend -> outcome.
    case frontends
    /// outcome -> chain or drop; the last ones are those to which the chain `special` leads, and never lead there again.
    ///
    /// Frontends do not name chains themselves: the kernel looks at all elements of a map that does whenever one is added.
    case outcomes(isLast: Bool)
    /// Frontends that look at the source first.
    case restricted
    /// Who may come in: frontend . source.
    case sources
    /// Cluster IPs: their other ports are refused, their pings unanswered.
    case addresses
    /// frontend . slot -> endpoint; each element counts its connections.
    case endpoints
    /// Clients who are treated differently: frontend . source. Class 0 is everybody else.
    case sourceClass(Int)
    /// frontend -> outcome, for clients of one class.
    case choices(Int)
    /// frontend -> the number under which its clients are remembered.
    case sticky(Int)
    /// The numbers whose clients are remembered for so many seconds.
    case timeout(Int64)
    /// client . number -> endpoint; written by the kernel.
    case affinity

    var description: String {
        switch self {
        case .frontends: "frontends"
        case .outcomes(let isLast): isLast ? "last-outcomes" : "outcomes"
        case .restricted: "restricted"
        case .sources: "sources"
        case .addresses: "addresses"
        case .endpoints: "endpoints"
        case .sourceClass(let number): "class-\(number)"
        case .choices(let number): "choices-\(number)"
        case .sticky(let number): "sticky-\(number)"
        case .timeout(let seconds): "timeout-\(seconds)"
        case .affinity: "affinity"
        }
    }
}

/// What a map gives for a key.
enum ElementData: Hashable, Sendable {
    /// Nothing: the element of a set.
    case none
    case outcome(Outcome)
    /// Where an outcome leads.
    case verdict(Outcome)
    case endpoint(SocketEndpoint)
    /// A value of `ct mark`.
    case mark(UInt32)
}

/// What selects an element.
enum ElementKey: Hashable, Sendable {
    case frontend(Frontend)
    /// `frontend . numgen`.
    case slot(Frontend, UInt32)
    /// `frontend . source`: an interval of sources.
    case source(Frontend, CIDR)
    case address(IPAddress)
    case outcome(Outcome)
    case mark(UInt32)
    /// `client . number`.
    case client(IPAddress, UInt32)

    /// The family of the table that the element belongs to; nil for both.
    var family: IPFamily? {
        switch self {
        case .frontend(let frontend), .slot(let frontend, _), .source(let frontend, _): frontend.address.address.family
        case .address(let address), .client(let address, _): address.family
        case .mark, .outcome: nil
        }
    }
}

/// One element of a set or map in the table of a family.
struct Element: Hashable, Sendable {
    let family: IPFamily
    let set: SetName
    let key: ElementKey
    var data = ElementData.none

    /// Whether it is only looked at after another element has led there.
    var isBehindVerdict: Bool {
        switch set {
        case .endpoints, .choices: true
        default: false
        }
    }

    /// Where the element is, whatever its data.
    struct Place: Hashable {
        let family: IPFamily
        let set: SetName
        let key: ElementKey
    }

    var place: Place { Place(family: family, set: set, key: key) }
}
