#if os(Linux)
import Logging
import NetTypes
package import ServiceRouting
import Synchronization

/// What is known of new connections: the kernel tells of them while somebody reads.
extension NFTablesPlane {
    /// The kernel does not tell why it chose an endpoint: that follows from the route, and from what it remembers of clients.
    package func connectionEvents(limit: Int) -> AsyncStream<ConnectionEvent> {
        guard let hub = hub.withLock({ $0 }) else { return AsyncStream { $0.finish() } }
        return hub.stream(limit: limit)
    }

    /// Called with the hub's lock, for which the watch's thread may be waiting: it is not waited for here.
    func setReading(_ isReading: Bool) {
        watch.withLock { watch in
            guard isReading else {
                watch?.pause()
                return
            }
            do throws(NetlinkSocket.Failure) {
                if watch == nil { watch = try makeWatch() }
                try watch?.listen { rememberedClients() }
            } catch {
                logger.error("the kernel does not tell of new connections: \(error.reason)")
            }
        }
    }

    private func makeWatch() throws(NetlinkSocket.Failure) -> ConnectionWatch {
        try ConnectionWatch { [weak self] frontend in
            self?.state.withLock { $0.rules.served[frontend]?.route }
        } send: { [weak self] event in
            self?.hub.withLock { $0 }?.send(event)
        }
    }

    /// Whom the kernel remembers now.
    private func rememberedClients() -> ClientMemory {
        var memory = ClientMemory()
        let now = ConnectionWatch.now
        state.withLock { state in
            for family in IPFamily.allCases {
                try? state.socket.ask(.dump(.affinity, family, table)) { payload in
                    for reading in ElementCodec.readings(payload, family) {
                        guard let (client, mark) = ElementCodec.client(reading.key, family),
                            let endpoint = reading.endpoint
                        else { continue }
                        memory.remember(client, mark, at: endpoint, until: now + reading.expiration)
                    }
                }
            }
        }
        return memory
    }
}
#endif
