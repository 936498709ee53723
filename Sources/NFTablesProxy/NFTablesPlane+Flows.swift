#if os(Linux)
import Glibc
import NetTypes
import ServiceRouting

/// What the kernel remembers of clients, and must forget when an endpoint goes.
extension NFTablesPlane {
    /// Deletes what the kernel remembers of clients whose endpoint is gone (7.7).
    func forgetClients(
        _ narrowed: [UInt32: Set<SocketEndpoint>], _ state: inout State
    ) throws(NetlinkSocket.Failure) {
        guard !narrowed.isEmpty else { return }
        for family in IPFamily.allCases {
            // What expires meanwhile makes the kernel refuse the whole deletion: look again.
            for attempt in 1...5 {
                var stale: [Element] = []
                try state.socket.ask(.dump(.affinity, family, table)) { payload in
                    for reading in ElementCodec.readings(payload, family) {
                        guard let (client, mark) = ElementCodec.client(reading.key, family),
                            let endpoint = reading.endpoint, let allowed = narrowed[mark], !allowed.contains(endpoint)
                        else { continue }
                        stale.append(Element(family: family, set: .affinity, key: .client(client, mark)))
                    }
                }
                guard !stale.isEmpty else { break }
                var transaction = Transaction()
                transaction.removed = stale
                do {
                    try state.socket.commit(transaction, table: table)
                    break
                } catch {
                    if attempt == 5 { throw error }
                }
            }
        }
    }

    /// Deletes the connection table's entries of datagrams to endpoints that serve no more (7.11).
    func moveFlows(
        _ moved: [Frontend: Set<SocketEndpoint>], _ state: inout State
    ) throws(NetlinkSocket.Failure) {
        guard !moved.isEmpty else { return }
        var stale: [Connection] = []
        try state.socket.ask(.dumpConnections) { payload in
            guard let connection = Connection(payload), let allowed = moved[connection.frontend],
                !allowed.contains(connection.endpoint)
            else { return }
            stale.append(connection)
        }
        for connection in stale {
            do {
                try state.socket.ask(.delete(connection))
            } catch {
                // It may have ended by itself.
                if error.code != ENOENT { throw error }
            }
        }
    }
}
#endif
