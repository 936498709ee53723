package import NetTypes

/// The ways to find a Service.
package enum DiscoveryMethod: String, Hashable, Sendable {
    case url
    case variables
    case dns
}

/// One way that was tried, and what came of it, in words for people.
package struct DiscoveryAttempt: Hashable, Sendable {
    package var method: DiscoveryMethod
    package var detail: String

    package init(method: DiscoveryMethod, detail: String) {
        self.method = method
        self.detail = detail
    }
}

/// Where a Service is.
package struct DiscoveredService: Hashable, Sendable {
    package var method: DiscoveryMethod
    /// `http` or `https`.
    package var scheme: String
    /// For the Host header: name or address, IPv6 in brackets, with the port unless it is the scheme's own.
    package var host: String
    /// The path of the URL without its last slash; empty if there is none.
    package var basePath: String
    /// Where to connect, any will do; never empty.
    package var addresses: [SocketEndpoint]
    /// All that was tried, the last being the one that worked.
    package var attempts: [DiscoveryAttempt]

    package init(
        method: DiscoveryMethod, scheme: String, host: String, basePath: String, addresses: [SocketEndpoint],
        attempts: [DiscoveryAttempt]
    ) {
        self.method = method
        self.scheme = scheme
        self.host = host
        self.basePath = basePath
        self.addresses = addresses
        self.attempts = attempts
    }
}

/// Why a Service was not found: everything that was tried.
package struct DiscoveryError: Error, Hashable, Sendable, CustomStringConvertible {
    package var service: String
    package var attempts: [DiscoveryAttempt]

    package init(service: String, attempts: [DiscoveryAttempt]) {
        self.service = service
        self.attempts = attempts
    }

    /// One line, such as `cannot find quote: variables: QUOTE_SERVICE_HOST is not set; dns: quote. does not exist`.
    package var description: String {
        "cannot find \(service): " + attempts.map { "\($0.method.rawValue): \($0.detail)" }.joined(separator: "; ")
    }
}
