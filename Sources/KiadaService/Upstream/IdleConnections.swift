import NIOCore
import NetTypes
import Synchronization

/// What has to be equal for a connection to serve a request.
struct UpstreamPlace: Hashable {
    let endpoint: SocketEndpoint
    let hostName: String
    let isSecure: Bool
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

    private let waiting = Mutex<[Key: [any Channel]]>([:])
    private let capacity = 64

    /// The connection used last that leads to `place`, if there is one that is open; one of `loop` comes first.
    func take(to place: UpstreamPlace, on loop: any EventLoop) -> (any Channel)? {
        waiting.withLock { waiting in
            let best = Key(place: place, loop: ObjectIdentifier(loop))
            if let channel = Self.pop(&waiting, best) { return channel }
            for key in waiting.keys where key.place == place {
                if let channel = Self.pop(&waiting, key) { return channel }
            }
            return nil
        }
    }

    private static func pop(_ waiting: inout [Key: [any Channel]], _ key: Key) -> (any Channel)? {
        while let channel = waiting[key]?.popLast() {
            if channel.isActive { return channel }
        }
        waiting[key] = nil
        return nil
    }

    /// Whether there is room for it.
    func add(_ channel: any Channel, to place: UpstreamPlace) -> Bool {
        let key = Key(place: place, loop: ObjectIdentifier(channel.eventLoop))
        return waiting.withLock { waiting in
            guard waiting[key, default: []].count < capacity else { return false }
            waiting[key, default: []].append(channel)
            return true
        }
    }

    /// Whether it was waiting.
    @discardableResult
    func remove(_ channel: any Channel, from place: UpstreamPlace) -> Bool {
        let key = Key(place: place, loop: ObjectIdentifier(channel.eventLoop))
        return waiting.withLock { waiting in
            guard let index = waiting[key]?.firstIndex(where: { $0 === channel }) else { return false }
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
        for channel in all { channel.close(promise: nil) }
    }
}
