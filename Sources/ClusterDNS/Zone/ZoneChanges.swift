/// Which answers a change of the zone can have touched.
enum ZoneChanges: Sendable, Equatable {
    /// Those about names below these Services.
    case services([ServiceKey])
    case everything

    mutating func insert(_ key: ServiceKey) {
        guard case .services(let keys) = self else { return }
        self = .services(keys + [key])
    }
}
