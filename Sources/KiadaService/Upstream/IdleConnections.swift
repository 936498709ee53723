import NIOCore
import NetTypes
import ServiceDiscovery
import Synchronization

/// What has to be equal for a connection to serve a request.
struct UpstreamPlace: Equatable {
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
}

/// Connections that wait for their next request, by the place they lead to.
///
/// Holds at most `capacity` of each place and event loop, newest first out; there is no room for one more. None is to wait
/// longer than `limit`, which the connections see to.
final class IdleConnections: Sendable {
    let limit: TimeAmount

    /// Those of one place and event loop.
    ///
    /// There are few, so that to look for one beats to hash.
    private struct Row {
        let place: UpstreamPlace
        let loop: ObjectIdentifier
        var connections: [UpstreamConnection] = []

        mutating func pop() -> UpstreamConnection? {
            while let connection = connections.popLast() {
                if connection.isOpen { return connection }
            }
            return nil
        }
    }

    private let rows = Mutex<[Row]>([])
    private static let capacity = 64
    /// Rows with nothing in them that are kept for the next connection.
    private static let mostEmptyRows = 64

    init(limit: TimeAmount) { self.limit = limit }

    /// The connection used last that leads to `place`, if there is one that is open; one of `loop` comes first.
    func take(to place: UpstreamPlace, on loop: any EventLoop) -> UpstreamConnection? {
        rows.withLock { rows in
            if let best = Self.row(of: place, loop, in: rows), let connection = rows[best].pop() { return connection }
            for index in rows.indices where rows[index].place == place {
                if let connection = rows[index].pop() { return connection }
            }
            return nil
        }
    }

    /// Whether there is room for it.
    func add(_ connection: UpstreamConnection, to place: UpstreamPlace) -> Bool {
        rows.withLock { rows in
            guard let index = Self.row(of: place, connection.loop, in: rows) else {
                if rows.count > Self.mostEmptyRows { rows.removeAll { $0.connections.isEmpty } }
                rows.append(Row(place: place, loop: ObjectIdentifier(connection.loop), connections: [connection]))
                return true
            }
            guard rows[index].connections.count < Self.capacity else { return false }
            rows[index].connections.append(connection)
            return true
        }
    }

    /// Whether it was waiting.
    func remove(_ connection: UpstreamConnection, from place: UpstreamPlace) -> Bool {
        rows.withLock { rows in
            guard let row = Self.row(of: place, connection.loop, in: rows),
                let index = rows[row].connections.firstIndex(where: { $0.identity == connection.identity })
            else { return false }
            rows[row].connections.remove(at: index)
            return true
        }
    }

    /// Closes everything that waits.
    func closeAll() {
        let all = rows.withLock { rows in
            defer { rows = [] }
            return rows.flatMap(\.connections)
        }
        for connection in all { connection.close() }
    }

    private static func row(of place: UpstreamPlace, _ loop: any EventLoop, in rows: [Row]) -> Int? {
        let loop = ObjectIdentifier(loop)
        return rows.indices.first { rows[$0].loop == loop && rows[$0].place == place }
    }
}

/// Where connections to one place wait.
struct UpstreamShelf {
    private let connections: IdleConnections
    private let place: UpstreamPlace

    init(_ connections: IdleConnections, _ place: UpstreamPlace) {
        self.connections = connections
        self.place = place
    }

    /// How long a connection is to wait at most.
    var limit: TimeAmount { connections.limit }

    /// Whether there is room for the connection.
    func add(_ connection: UpstreamConnection) -> Bool { connections.add(connection, to: place) }

    /// Whether the connection was waiting.
    @discardableResult
    func remove(_ connection: UpstreamConnection) -> Bool { connections.remove(connection, from: place) }
}
