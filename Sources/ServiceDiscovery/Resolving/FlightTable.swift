import NIOCore

/// Who asks for what right now, so that the same thing is asked for once.
///
/// The first to join a key leads and has to ``land(_:)`` it; the others get a future of what the leader finds.
struct FlightTable<Key: Hashable & Sendable, Outcome: Sendable> {
    enum Role {
        case leads
        case follows(EventLoopFuture<Outcome>)
    }

    private var followers: [Key: [EventLoopPromise<Outcome>]] = [:]

    mutating func join(_ key: Key, on loop: any EventLoop) -> Role {
        guard followers[key] != nil else {
            followers[key] = []
            return .leads
        }
        let promise = loop.makePromise(of: Outcome.self)
        followers[key, default: []].append(promise)
        return .follows(promise.futureResult)
    }

    /// Ends the flight; the caller completes the promises, outside of any lock.
    mutating func land(_ key: Key) -> [EventLoopPromise<Outcome>] { followers.removeValue(forKey: key) ?? [] }
}

extension EventLoopFuture where Value: Sendable {
    /// The value, or nil when it takes longer than `limit` or fails.
    func value(within limit: TimeAmount, on loop: any EventLoop) async -> Value? {
        let promise = loop.makePromise(of: Value?.self)
        let timer = loop.scheduleTask(in: limit) { promise.succeed(nil) }
        whenComplete { result in promise.succeed(try? result.get()) }
        defer { timer.cancel() }
        return try? await promise.futureResult.get()
    }
}
