/// What an event or a completion is about, in the 64 bits that the kernel keeps for us.
///
///     63   60 59          32 31           0
///     │ kind │    index     │ generation │
struct Token: Equatable {
    /// What the place means.
    enum Kind: UInt64 {
        case wake
        case listener
        case client
        case backend
        case datagrams
        case flow
        // Completions of a ring.
        case accept
        case clientReceive
        case backendReceive
        /// The place is a buffer's number.
        case send
        case readiness
        case none
    }

    /// A place in a slab; it names nothing any more once its generation is over.
    struct Place: Hashable, BitwiseCopyable {
        let index: UInt32
        let generation: UInt32
    }

    let kind: Kind
    let place: Place

    init(_ kind: Kind, _ place: Place) {
        self.kind = kind
        self.place = place
    }

    /// For what nobody waits for.
    static var none: Token { Token(.none, Place(index: 0, generation: 0)) }

    init?(bits: UInt64) {
        guard let kind = Kind(rawValue: bits >> 60) else { return nil }
        self.kind = kind
        place = Place(
            index: UInt32(truncatingIfNeeded: bits >> 32) & 0x0FFF_FFFF, generation: UInt32(truncatingIfNeeded: bits))
    }

    var bits: UInt64 { kind.rawValue << 60 | UInt64(place.index & 0x0FFF_FFFF) << 32 | UInt64(place.generation) }
}
