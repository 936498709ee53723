import DNSWire
import NetTypes

/// Finds out which upstream servers lead back to this one: a name that nobody else knows is asked for, and a server through
/// which the question returns is left out until a later probe does not.
///
/// Pure: what has to be sent is a return value.
struct LoopProbes: Sendable {
    /// Probes are sent with a query, and not more often.
    static let period: Duration = .seconds(30)

    /// One question to one server.
    struct Probe: Sendable {
        var server: SocketEndpoint
        var name: Name
    }

    private var next: ContinuousClock.Instant?
    private var open: [Name: SocketEndpoint] = [:]
    /// Servers that lead back here.
    private(set) var looping: Set<SocketEndpoint> = []

    /// What to send now; empty when the last probes are not long ago.
    mutating func due(_ servers: [SocketEndpoint], now: ContinuousClock.Instant) -> [Probe] {
        if let next, now < next { return [] }
        next = now + Self.period
        return servers.compactMap { server in
            func label() -> [UInt8] { Array(String(UInt64.random(in: 1 << 60 ... .max), radix: 16).utf8) }
            guard let name = Name(labels: [label(), label()]) else { return nil }
            open[name] = server
            return Probe(server: server, name: name)
        }
    }

    /// Whether `name` is that of a probe, which then has come back.
    ///
    /// - Returns: nil when it is none; else the server, and whether that is news.
    mutating func returned(_ name: Name) -> (server: SocketEndpoint, isNew: Bool)? {
        guard !open.isEmpty, let server = open.removeValue(forKey: name) else { return nil }
        return (server, looping.insert(server).inserted)
    }

    /// The server has replied, or its time is up.
    mutating func ended(_ probe: Probe) {
        if open.removeValue(forKey: probe.name) != nil { looping.remove(probe.server) }
    }
}
