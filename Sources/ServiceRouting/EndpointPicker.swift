package import NetTypes

/// Why an endpoint was chosen.
package enum ChoiceReason: Hashable, Sendable {
    case random
    /// Its turn had come.
    case roundRobin
    /// The client was here before; what its window had left.
    case affinity(left: Duration)
    case onlyReadyEndpoint
    /// No endpoint is ready; this one terminates, but still serves.
    case terminatingFallback
    /// The endpoints tried before it refused or did not answer.
    case retry(afterFailures: Int)
}

/// Chooses endpoints: at random or in turns for each connection, unless the client has affinity (7.3, 7.7).
package struct EndpointPicker<Generator: RandomNumberGenerator> {
    private var generator: Generator

    package init(_ generator: Generator) { self.generator = generator }

    /// An index into `list`, and why; nil when every endpoint was tried already.
    ///
    /// `rotation` says whose turn it is at this Service port; nil for a random choice.
    /// `tried` are the endpoints that failed for this connection. `affinity` holds the clients of this Service port, nil
    /// without affinity; the choice is remembered there, and one after a failure replaces what the client had. `now` is in
    /// nanoseconds of the clock that `affinity` is used with.
    package mutating func pick(
        from list: EndpointList, tried: [SocketEndpoint] = [], affinity: inout AffinityTable?,
        rotation: inout Rotation?, client: IPAddress, now: UInt64
    ) -> (index: Int, reason: ChoiceReason)? {
        if affinity != nil {
            if !tried.isEmpty {
                affinity?.forget(client)
            } else if let (endpoint, left) = affinity?.use(by: client, now: now),
                let index = list.endpoints.firstIndex(where: { $0.address == endpoint })
            {
                return (index, .affinity(left: .nanoseconds(Int64(clamping: left))))
            }
        }
        let isRandom = rotation == nil
        let chosen =
            isRandom
            ? index(in: list, tried: tried) : rotation?.next(in: list, tried: tried, using: &generator)
        guard let index = chosen else { return nil }
        affinity?.remember(list.endpoints[index].address, for: client, now: now)
        if !tried.isEmpty { return (index, .retry(afterFailures: tried.count)) }
        if list.isTerminatingFallback { return (index, .terminatingFallback) }
        if list.endpoints.count == 1 { return (index, .onlyReadyEndpoint) }
        return (index, isRandom ? .random : .roundRobin)
    }

    /// The same at random.
    package mutating func pick(
        from list: EndpointList, tried: [SocketEndpoint] = [], affinity: inout AffinityTable?, client: IPAddress,
        now: UInt64
    ) -> (index: Int, reason: ChoiceReason)? {
        var none: Rotation?
        return pick(from: list, tried: tried, affinity: &affinity, rotation: &none, client: client, now: now)
    }

    private mutating func index(in list: EndpointList, tried: [SocketEndpoint]) -> Int? {
        let count = list.endpoints.count
        guard count > 0 else { return nil }
        let first = count == 1 ? 0 : Int.random(in: 0..<count, using: &generator)
        if tried.isEmpty { return first }
        // Among the rest each is as likely as another: draw again from a shortened list.
        let rest = list.endpoints.indices.filter { !tried.contains(list.endpoints[$0].address) }
        return rest.isEmpty ? nil : rest[Int.random(in: 0..<rest.count, using: &generator)]
    }
}

/// SplitMix64: small, fast and seedable, for choices that need no secrecy.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
