import NIOCore
package import ServiceDiscovery

/// A Service that kiada asks: how to find it, how to talk to it, and how long both may take.
package final class Dependency: Sendable {
    /// `quote` or `quiz`.
    package let name: String
    private let host: String
    private let locator: any ServiceLocator
    private let client: any UpstreamClient
    private let limit: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    /// Told the end of every request: nil for a success.
    private let observe: @Sendable (UpstreamError?) -> Void
    /// Where the Service always is, and who asks it there without a task; nil where one is needed.
    private let place: DiscoveredService?
    private let caller: (any CallbackUpstreamClient)?

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
        caller = client as? any CallbackUpstreamClient
        place = caller == nil ? nil : locator.settled
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
        let result = await Result { () async throws(UpstreamError) in try await raw(request) }
        return try outcome(of: result).get()
    }

    /// Whether the Service can be asked without a task: the place needs no search, and the client none either.
    var isSettled: Bool { place != nil }

    /// The request that `request` makes for the place of the Service, ready to be sent as often as is liked; nil unless that
    /// ``isSettled``.
    func prepared(_ request: (DiscoveredService) -> UpstreamRequest) -> PreparedRequest? {
        place.flatMap { caller?.prepared(request($0), at: $0) }
    }

    /// As ``response(to:)`` for those who are on an event loop.
    ///
    /// - Parameters:
    ///   - request: one that this dependency has ``prepared(_:)``.
    ///   - loop: the event loop of the caller.
    ///   - answer: called once, on the loop, maybe at once.
    func ask(
        _ request: PreparedRequest, on loop: any EventLoop,
        answer: @escaping (Result<UpstreamResponse, UpstreamError>) -> Void
    ) {
        caller?.ask(request, limit: limit, on: loop) { [self] result in answer(outcome(of: result)) }
    }

    private func raw(
        _ request: (DiscoveredService) -> UpstreamRequest
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
        return try await client.response(to: request(location), at: location, limit: left)
    }

    /// What the answer of the client means, which is told to the observer.
    private func outcome(of result: Result<UpstreamResponse, UpstreamError>) -> Result<UpstreamResponse, UpstreamError>
    {
        let error: UpstreamError
        switch result {
        case .success(let response) where (200..<300).contains(response.status):
            observe(nil)
            return result
        case .success(let response): error = .status(response.status, message: ErrorBody(response.body).message)
        case .failure(.timedOut): error = .timedOut(after: limit)
        case .failure(let other): error = other
        }
        observe(error)
        return .failure(error)
    }
}
