package import NIOCore
package import NetTypes

/// Where the server listens, and what it grants to clients.
package struct DNSServerSettings: Sendable {
    /// UDP and TCP on each; port 0 takes a free one, the same for both.
    package var endpoints: [SocketEndpoint]
    /// UDP sockets per endpoint, over which the kernel spreads clients (SO_REUSEPORT); on Linux each has its own thread.
    package var socketsPerEndpoint: Int
    /// TCP connections that are open at most, over all endpoints; further ones are closed at once.
    package var connectionLimit: Int
    /// A TCP connection on which nothing happens for so long is closed.
    package var idleTimeout: TimeAmount
    /// Whether each query is logged; this costs most of the speed.
    package var logsQueries: Bool

    package init(
        endpoints: [SocketEndpoint], socketsPerEndpoint: Int = 1, connectionLimit: Int = 256,
        idleTimeout: TimeAmount = .seconds(10), logsQueries: Bool = false
    ) {
        self.endpoints = endpoints
        self.socketsPerEndpoint = socketsPerEndpoint
        self.connectionLimit = connectionLimit
        self.idleTimeout = idleTimeout
        self.logsQueries = logsQueries
    }
}
