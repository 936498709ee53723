import HTTPTypes

extension HTTPField.Name {
    /// The pod of the dependency whose answer this is.
    static let upstreamPodName = Self("X-Upstream-Pod-Name") ?? .server
    static let traceparent = Self("traceparent") ?? .server
    static let tracestate = Self("tracestate") ?? .server
}

extension UpstreamError {
    /// What kiada answers when a request to a dependency is all that was asked of it: the dependency's own 4xx, 504
    /// when time ran out, else 502.
    var gatewayStatus: HTTPResponse.Status {
        if case .status(let code, _) = self, (400..<500).contains(code) { return HTTPResponse.Status(code: code) }
        return isTimeout ? .gatewayTimeout : .badGateway
    }

    /// The description, or rather what the dependency itself says about a mistake of the client.
    var gatewayMessage: String {
        if case .status(400..<500, let message) = self, !message.isEmpty { return message }
        return description
    }
}
