package import NIOCore
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

/// A client that can be asked without a task.
package protocol CallbackUpstreamClient: UpstreamClient {
    func prepared(_ request: UpstreamRequest, at location: DiscoveredService) -> PreparedRequest

    /// As ``UpstreamClient/response(to:at:limit:)``, for those who are on an event loop.
    ///
    /// - Parameters:
    ///   - request: one that this client has prepared.
    ///   - loop: the event loop of the caller.
    ///   - answer: called once, on the loop, maybe at once.
    func ask(
        _ request: PreparedRequest, limit: Duration, on loop: any EventLoop,
        answer: @escaping (Result<UpstreamResponse, UpstreamError>) -> Void)
}
