import NetTypes
import ServiceRouting

/// What the kernel remembers of clients, followed from outside: it does not tell why it chose an endpoint.
///
/// A value without a clock; times are in milliseconds of any. Holds at most `capacity` clients; of more, some are forgotten,
/// and their next connection counts as chosen at random.
struct ClientMemory {
    /// A client under the number of a Service port.
    private struct Key: Hashable {
        let client: IPAddress
        let mark: UInt32
    }

    /// Where a client is remembered, and until when.
    private struct Place {
        let endpoint: SocketEndpoint
        let end: UInt64
    }

    private let capacity: Int
    private var places: [Key: Place] = [:]

    /// How many clients are remembered.
    var count: Int { places.count }

    init(capacity: Int = 16_384) { self.capacity = capacity }

    /// Puts in what the kernel's map says: the client stays until `end`.
    mutating func remember(_ client: IPAddress, _ mark: UInt32, at endpoint: SocketEndpoint, until end: UInt64) {
        let key = Key(client: client, mark: mark)
        if places.count >= capacity, places[key] == nil, let some = places.keys.first { places[some] = nil }
        places[key] = Place(endpoint: endpoint, end: end)
    }

    /// What was left of the client's time with the endpoint; nil if it was not there before.
    ///
    /// Its time begins anew.
    ///
    /// - Parameter timeout: milliseconds.
    mutating func use(
        _ client: IPAddress, _ mark: UInt32, of endpoint: SocketEndpoint, now: UInt64, timeout: UInt64
    ) -> Duration? {
        let before = places[Key(client: client, mark: mark)]
        remember(client, mark, at: endpoint, until: now + timeout)
        guard let before, before.endpoint == endpoint, before.end > now else { return nil }
        return .milliseconds(Int64(clamping: before.end - now))
    }

    /// The event for a connection: where it went, and why.
    mutating func event(_ connection: Connection, route: FrontendRoute, now: UInt64) -> ConnectionEvent {
        let client = connection.client.address
        let list: EndpointList? =
            if case .forward(let list) = route.verdict(for: client) { list } else { nil }
        let reason: ChoiceReason
        if connection.mark != Ruleset.mark, let timeout = route.affinity,
            let left = use(
                client, connection.mark, of: connection.endpoint, now: now,
                timeout: UInt64(clamping: timeout.components.seconds) * 1000)
        {
            reason = .affinity(left: left)
        } else if list?.isTerminatingFallback == true {
            reason = .terminatingFallback
        } else {
            reason = list?.endpoints.count == 1 ? .onlyReadyEndpoint : .random
        }
        let endpoint = list?.endpoints.first { $0.address == connection.endpoint }
        return ConnectionEvent(
            client: connection.client, frontend: connection.frontend, port: route.port,
            endpoint: endpoint ?? RoutedEndpoint(address: connection.endpoint), reason: reason)
    }
}
