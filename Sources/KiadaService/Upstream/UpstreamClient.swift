package import ServiceDiscovery

/// Carries one request to a dependency and its whole answer back.
package protocol UpstreamClient: Sendable {
    /// The answer, of whatever status, once its body is complete.
    ///
    /// An address that refuses the connection is followed by the next one. Nothing else is repeated, unless it is
    /// certain that no server has seen the request.
    ///
    /// - Parameter limit: the time for everything together.
    func response(
        to request: UpstreamRequest, at location: DiscoveredService, limit: Duration
    ) async throws(UpstreamError) -> UpstreamResponse
}
