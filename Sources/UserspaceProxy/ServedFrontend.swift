import NetTypes
import ServiceRouting
import Synchronization

/// A frontend as one loop serves it.
///
/// Belongs to that loop's thread.
final class ServedFrontend {
    let place: Token.Place
    let socket: Int32
    var route: FrontendRoute
    /// A ring waits for the next connection.
    var isAccepting = false
    /// nil when a choice depends on nothing before it.
    var choice: SharedChoice?
    /// For each different verdict of the route: the records of its endpoints, in their order.
    var lists: [(verdict: Verdict, records: [RecordPointer])] = []
    /// UDP: the flow of each client.
    var flows: [SocketEndpoint: Token.Place] = [:]

    init(place: Token.Place, socket: Int32, route: FrontendRoute, choice: SharedChoice?) {
        self.place = place
        self.socket = socket
        self.route = route
        self.choice = choice
    }

    /// Whether a client's address has a say in where it goes.
    var readsSource: Bool { route.affinity != nil || !route.ignoresSource }

    /// Those of one of the route's verdicts.
    func records(for verdict: Verdict) -> [RecordPointer] { lists.first { $0.verdict == verdict }?.records ?? [] }

    /// What becomes of a client; nil for an address that has no say.
    func verdict(for client: IPAddress?) -> Verdict {
        guard let client, !route.ignoresSource else { return route.outside }
        return route.verdict(for: client)
    }

    /// Chooses an endpoint that was not tried, with what the port's other choices left.
    func pick(
        from list: EndpointList, tried: [SocketEndpoint], for client: IPAddress?,
        with picker: inout EndpointPicker<SeededGenerator>, now: UInt64
    ) -> (index: Int, reason: ChoiceReason)? {
        let client = client ?? .v4(IPv4Address(bits: 0))
        if let choice {
            return choice.state.withLock { state in
                picker.pick(
                    from: list, tried: tried, affinity: &state.affinity, rotation: &state.rotation, client: client,
                    now: now)
            }
        }
        var none: AffinityTable?
        return picker.pick(from: list, tried: tried, affinity: &none, client: client, now: now)
    }

    /// All that the route lists, as often as it does.
    var records: [RecordPointer] { lists.flatMap(\.records) }
}
