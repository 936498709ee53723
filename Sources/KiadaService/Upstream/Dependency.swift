package import ServiceDiscovery

/// A Service that kiada asks: how to find it, how to talk to it, and how long both may take.
package struct Dependency: Sendable {
    /// `quote` or `quiz`.
    package let name: String
    private let host: String
    private let locator: any ServiceLocator
    private let client: any UpstreamClient
    private let limit: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    /// Told the end of every request: nil for a success.
    private let observe: @Sendable (UpstreamError?) -> Void

    /// - Parameters:
    ///   - name: the name of the Service.
    ///   - host: what a failed search is said to have looked for; the Service's name when nil.
    ///   - locator: finds the Service.
    ///   - client: talks to it.
    ///   - limit: the time for finding and asking together.
    ///   - now: the clock of `limit`.
    ///   - observe: told the end of every request: nil for a success.
    package init(
        name: String, host: String? = nil, locator: any ServiceLocator, client: any UpstreamClient,
        limit: Duration = .seconds(2), now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        observe: @escaping @Sendable (UpstreamError?) -> Void = { _ in }
    ) {
        self.name = name
        self.host = host ?? name
        self.locator = locator
        self.client = client
        self.limit = limit
        self.now = now
        self.observe = observe
    }

    /// Where the Service is now.
    package func location() async throws(DiscoveryError) -> DiscoveredService {
        try await locator.resolve(limit: limit)
    }

    /// The answer to the request that `request` makes for the place found.
    ///
    /// - Throws: also for a status other than 2xx.
    package func response(
        to request: (DiscoveredService) -> UpstreamRequest
    ) async throws(UpstreamError) -> UpstreamResponse {
        do {
            let response = try await unobservedResponse(to: request)
            observe(nil)
            return response
        } catch {
            observe(error)
            throw error
        }
    }

    private func unobservedResponse(
        to request: (DiscoveredService) -> UpstreamRequest
    ) async throws(UpstreamError) -> UpstreamResponse {
        let start = now()
        let location: DiscoveredService
        do {
            location = try await locator.resolve(limit: limit)
        } catch {
            throw now() - start < limit ? .unknownHost(host) : .lookupTimedOut(host)
        }
        let left = limit - (now() - start)
        guard left > .zero else { throw .lookupTimedOut(host) }
        let response: UpstreamResponse
        do {
            response = try await client.response(to: request(location), at: location, limit: left)
        } catch .timedOut {
            throw .timedOut(after: limit)
        } catch {
            throw error
        }
        guard (200..<300).contains(response.status) else {
            throw .status(response.status, message: ErrorBody(response.body).message)
        }
        return response
    }
}
