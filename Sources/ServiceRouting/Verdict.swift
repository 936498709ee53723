package import NetTypes

/// An endpoint to which connections of one Service port can go.
package struct RoutedEndpoint: Hashable, Sendable, CustomStringConvertible {
    package let address: SocketEndpoint
    /// The pod behind it, when the slice names one.
    package let podName: String?

    package init(address: SocketEndpoint, podName: String? = nil) {
        self.address = address
        self.podName = podName
    }

    package var description: String { podName.map { "\($0) (\(address))" } ?? "\(address)" }
}

/// The endpoints to choose from, and whether they are a last resort.
package struct EndpointList: Hashable, Sendable {
    /// Sorted by address, no duplicates.
    package let endpoints: [RoutedEndpoint]
    /// No endpoint is ready: these are terminating, but still serve (7.4).
    package let isTerminatingFallback: Bool

    package init(_ endpoints: [RoutedEndpoint], isTerminatingFallback: Bool = false) {
        self.endpoints = endpoints
        self.isTerminatingFallback = isTerminatingFallback
    }

    package var isEmpty: Bool { endpoints.isEmpty }
}

/// What happens to a new connection or flow (7.5).
package enum Verdict: Hashable, Sendable {
    /// Goes to one of the endpoints; the list is never empty.
    case forward(EndpointList)
    /// Refused at once: TCP reset, ICMP port unreachable for UDP.
    case reject
    /// Unanswered: the client times out.
    case drop

    /// The endpoints; none when refused or dropped.
    package var endpoints: [RoutedEndpoint] {
        if case .forward(let list) = self { list.endpoints } else { [] }
    }
}
