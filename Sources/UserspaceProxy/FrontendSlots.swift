/// The frontends of one loop by their slots; a slot that is used again gets a new place.
struct FrontendSlots {
    private var frontends: [ServedFrontend?] = []

    /// The frontend that has the place, unless it is gone.
    subscript(place: Token.Place) -> ServedFrontend? {
        guard let frontend = self[Int(place.index)], frontend.place == place else { return nil }
        return frontend
    }

    subscript(slot: Int) -> ServedFrontend? { slot < frontends.count ? frontends[slot] : nil }

    /// Puts a frontend into the slot that its place names.
    mutating func put(_ frontend: ServedFrontend) {
        let slot = Int(frontend.place.index)
        while frontends.count <= slot { frontends.append(nil) }
        frontends[slot] = frontend
    }

    @discardableResult
    mutating func remove(_ slot: Int) -> ServedFrontend? {
        guard let frontend = self[slot] else { return nil }
        frontends[slot] = nil
        return frontend
    }

    var all: [ServedFrontend] { frontends.compactMap(\.self) }
}
