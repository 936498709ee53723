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
/// Holds at most `capacity` of each place, newest first out; one more is closed. None waits longer than `idleLimit`:
/// servers close after 5 s or more, and a request that meets a closing connection has to be repeated.
final class IdleConnections: Sendable {
    private let waiting = Mutex<[UpstreamPlace: [any Channel]]>([:])
    private let capacity = 16
    private let idleLimit = TimeAmount.seconds(4)

    /// The connection used last that leads to `place`, if there is one that is open.
    func take(to place: UpstreamPlace) -> (any Channel)? {
        waiting.withLock { waiting in
            while let channel = waiting[place]?.popLast() {
                if channel.isActive { return channel }
            }
            waiting[place] = nil
            return nil
        }
    }

    func add(_ channel: any Channel, to place: UpstreamPlace) {
        let isKept = waiting.withLock { waiting in
            guard waiting[place, default: []].count < capacity else { return false }
            waiting[place, default: []].append(channel)
            return true
        }
        guard isKept else { return channel.close(promise: nil) }
        channel.eventLoop.scheduleTask(in: idleLimit) { self.expire(channel, to: place) }
    }

    /// Closes everything that waits.
    func closeAll() {
        let all = waiting.withLock { waiting in
            defer { waiting = [:] }
            return waiting.values.flatMap { $0 }
        }
        for channel in all { channel.close(promise: nil) }
    }

    private func expire(_ channel: any Channel, to place: UpstreamPlace) {
        let wasWaiting = waiting.withLock { waiting in
            guard let index = waiting[place]?.firstIndex(where: { $0 === channel }) else { return false }
            waiting[place]?.remove(at: index)
            return true
        }
        if wasWaiting { channel.close(promise: nil) }
    }
}
