/// What an epoll event is about, in the 64 bits that the kernel keeps for us.
///
///     63   61 60          32 31           0
///     │ kind │    index     │ generation │
struct Token: Equatable {
    enum Kind: UInt64 {
        case wake
        case listener
        case client
        case backend
        case datagrams
        case flow
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

    init?(bits: UInt64) {
        guard let kind = Kind(rawValue: bits >> 61) else { return nil }
        self.kind = kind
        place = Place(
            index: UInt32(truncatingIfNeeded: bits >> 32) & 0x1FFF_FFFF, generation: UInt32(truncatingIfNeeded: bits))
    }

    var bits: UInt64 { kind.rawValue << 61 | UInt64(place.index & 0x1FFF_FFFF) << 32 | UInt64(place.generation) }
}
