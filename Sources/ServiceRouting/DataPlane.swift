package import NetTypes

/// What carries connections from frontends to endpoints.
///
/// All planes promise the same and pass one contract suite.
package protocol DataPlane: Sendable {
    /// `userspace`, `nftables` or `socket`, as `--data-plane` spells it.
    var name: String { get }

    /// Makes a change effective: when this returns, new connections follow it, and a removed endpoint is never dialled again.
    ///
    /// Established TCP connections are left alone; UDP flows whose endpoint serves no more are moved (7.11). Frontends
    /// that cannot be served do not stop the rest; each call, also one with an empty diff, tries them again.
    ///
    /// - Returns: every frontend that is not served now, with the reason.
    @discardableResult
    func apply(_ diff: RoutingDiff) async -> [FrontendProblem]

    /// New connections as they are chosen, the newest `limit` of them when the reader is slow. It costs nothing while
    /// nobody reads; it ends with the plane.
    func connectionEvents(limit: Int) -> AsyncStream<ConnectionEvent>

    /// What went to each endpoint so far. An endpoint that is gone is left out once its last connection is.
    func counters() async -> [EndpointCounters]

    /// Closes everything. Nothing of the plane is left when this returns; a second call does nothing.
    func stop() async
}

/// One new connection or UDP flow.
package struct ConnectionEvent: Hashable, Sendable {
    /// Port 0 where the socket plane saw the client before the kernel gave it one.
    package let client: SocketEndpoint
    package let frontend: Frontend
    package let port: ServicePortID
    package let endpoint: RoutedEndpoint
    package let reason: ChoiceReason
    /// Who connected, where the plane sees it: the socket plane does, for programs of this machine.
    package let process: ClientProcess?

    package init(
        client: SocketEndpoint, frontend: Frontend, port: ServicePortID, endpoint: RoutedEndpoint, reason: ChoiceReason,
        process: ClientProcess? = nil
    ) {
        self.client = client
        self.frontend = frontend
        self.port = port
        self.endpoint = endpoint
        self.reason = reason
        self.process = process
    }
}

/// A program that opened a connection.
package struct ClientProcess: Hashable, Sendable, CustomStringConvertible {
    /// As the machine numbers processes, not a container.
    package let id: Int32
    /// The thread's name, by default the program's, at most 15 octets.
    package let command: String

    package init(id: Int32, command: String) {
        self.id = id
        self.command = command
    }

    package var description: String { "\(command) (process \(id))" }
}

/// What went to one endpoint of a Service port.
package struct EndpointCounters: Hashable, Sendable {
    package let port: ServicePortID
    package let endpoint: SocketEndpoint
    /// Connections or flows opened.
    package var connections: UInt64
    /// Of these, still open.
    package var active: UInt64
    package var bytesToEndpoint: UInt64
    package var bytesToClient: UInt64
    /// Dials that were refused or took too long.
    package var dialFailures: UInt64

    package init(
        port: ServicePortID, endpoint: SocketEndpoint, connections: UInt64 = 0, active: UInt64 = 0,
        bytesToEndpoint: UInt64 = 0, bytesToClient: UInt64 = 0, dialFailures: UInt64 = 0
    ) {
        self.port = port
        self.endpoint = endpoint
        self.connections = connections
        self.active = active
        self.bytesToEndpoint = bytesToEndpoint
        self.bytesToClient = bytesToClient
        self.dialFailures = dialFailures
    }
}

/// Why a frontend is not served.
package struct FrontendProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason; most are the same for many frontends.
    package enum Cause: Hashable, Sendable {
        /// Somebody listens there already: process id and name, when they can be seen.
        case inUse(by: String?)
        /// Ports below 1024 need a right that this process lacks.
        case notPermitted
        /// The address is not one of this machine.
        case noSuchAddress
        /// The process may not open a socket for each of so many.
        case tooManyFrontends(descriptorLimit: Int)
        case other(String)
    }

    package let route: FrontendRoute
    package let cause: Cause

    package init(route: FrontendRoute, cause: Cause) {
        self.route = route
        self.cause = cause
    }

    package var description: String { "\(route.port) cannot be served at \(route.frontend): \(cause)" }
}

extension FrontendProblem.Cause: CustomStringConvertible {
    /// The second half of a sentence, with the remedy.
    package var description: String {
        switch self {
        case .inUse(let holder?): "the port is in use by \(holder)"
        case .inUse(nil): "the port is in use by a process that this user may not look at"
        case .notPermitted:
            """
            ports below 1024 are not allowed to this user. Remedies: run as root; give the program \
            CAP_NET_BIND_SERVICE; sysctl net.ipv4.ip_unprivileged_port_start=0; or use docker compose up
            """
        case .noSuchAddress: "this machine does not have the address"
        case .tooManyFrontends(let limit):
            """
            this process may open \(limit) files, of which a quarter is kept for connections. Remedies: raise the limit \
            (ulimit -n, LimitNOFILE= in a systemd unit, ulimits in compose); or --data-plane nftables
            """
        case .other(let text): text
        }
    }
}
