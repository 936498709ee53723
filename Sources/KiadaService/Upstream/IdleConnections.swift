import NIOCore
import NetTypes
import ServiceDiscovery
import Synchronization

/// What has to be equal for a connection to serve a request.
struct UpstreamPlace: Hashable {
    let endpoint: SocketEndpoint
    let hostName: String
    let isSecure: Bool

    /// - Parameter endpoint: one of the addresses of `location`.
    init(_ endpoint: SocketEndpoint, of location: DiscoveredService) {
        self.endpoint = endpoint
        isSecure = location.isSecure
        // Without TLS nobody asks for the name.
        hostName = isSecure ? location.hostName : ""
    }

    /// The rest seldom differs where this does not.
    func hash(into hasher: inout Hasher) { hasher.combine(endpoint) }
}

/// Connections that wait for their next request, by the place they lead to.
///
/// Holds at most `capacity` of each place and event loop, newest first out; there is no room for one more. None is to wait
/// longer than `limit`, which their handlers see to.
final class IdleConnections: Sendable {
    /// Servers close after 5 s or more, and a request that meets a closing connection has to be repeated.
    static let limit = TimeAmount.seconds(4)

    private struct Key: Hashable {
        let place: UpstreamPlace
        let loop: ObjectIdentifier
    }

    private let waiting = Mutex<[Key: [UpstreamConnection]]>([:])
    private static let capacity = 64

    /// The connection used last that leads to `place`, if there is one that is open; one of `loop` comes first.
    func take(to place: UpstreamPlace, on loop: any EventLoop) -> UpstreamConnection? {
        waiting.withLock { waiting in
            let best = Key(place: place, loop: ObjectIdentifier(loop))
            if let connection = Self.pop(&waiting, best) { return connection }
            for key in waiting.keys where key.place == place {
                if let connection = Self.pop(&waiting, key) { return connection }
            }
            return nil
        }
    }

    private static func pop(_ waiting: inout [Key: [UpstreamConnection]], _ key: Key) -> UpstreamConnection? {
        while let connection = waiting[key]?.popLast() {
            if connection.channel.isActive { return connection }
        }
        waiting[key] = nil
        return nil
    }

    /// Whether there is room for it.
    func add(_ connection: UpstreamConnection, to place: UpstreamPlace) -> Bool {
        let key = Key(place: place, loop: ObjectIdentifier(connection.channel.eventLoop))
        return waiting.withLock { Self.append(connection, to: &$0[key, default: []]) }
    }

    private static func append(_ connection: UpstreamConnection, to shelf: inout [UpstreamConnection]) -> Bool {
        guard shelf.count < capacity else { return false }
        shelf.append(connection)
        return true
    }

    /// Whether it was waiting.
    @discardableResult
    func remove(_ channel: any Channel, from place: UpstreamPlace) -> Bool {
        let key = Key(place: place, loop: ObjectIdentifier(channel.eventLoop))
        return waiting.withLock { waiting in
            guard let index = waiting[key]?.firstIndex(where: { $0.channel === channel }) else { return false }
            waiting[key]?.remove(at: index)
            if waiting[key]?.isEmpty == true { waiting[key] = nil }
            return true
        }
    }

    /// Closes everything that waits.
    func closeAll() {
        let all = waiting.withLock { waiting in
            defer { waiting = [:] }
            return waiting.values.flatMap { $0 }
        }
        for connection in all { connection.channel.close(promise: nil) }
    }
}
