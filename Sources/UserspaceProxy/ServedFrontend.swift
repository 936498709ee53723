#if os(Linux)
import NetTypes
import ServiceRouting

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

    /// All that the route lists, as often as it does.
    var records: [RecordPointer] { lists.flatMap(\.records) }
}
#endif
