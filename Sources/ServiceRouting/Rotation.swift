package import NetTypes

/// How endpoints are chosen where no affinity decides (7.3).
package enum ChoiceMode: String, Hashable, Sendable, CaseIterable {
    /// Each connection anew, as the kernel's planes do.
    case random
    /// In turns, in an order that is drawn again whenever the endpoints change.
    case roundRobin = "round-robin"
}

/// Whose turn it is among the endpoints of one Service port, in round robin mode (7.3).
///
/// A new list is shuffled and starts at its first place. Where a port serves two lists, for clients from inside and from
/// outside, a change from one to the other counts as a new list.
package struct Rotation: Sendable {
    private var list = EndpointList([])
    private var order: [Int] = []
    private var next = 0

    package init() {}

    /// The index of the next endpoint that was not tried; nil when all were.
    package mutating func next(
        in list: EndpointList, tried: [SocketEndpoint], using generator: inout some RandomNumberGenerator
    ) -> Int? {
        if list != self.list {
            self.list = list
            order = list.endpoints.indices.shuffled(using: &generator)
            next = 0
        }
        for step in order.indices {
            let index = order[(next + step) % order.count]
            guard !tried.contains(list.endpoints[index].address) else { continue }
            next = (next + step + 1) % order.count
            return index
        }
        return nil
    }
}
