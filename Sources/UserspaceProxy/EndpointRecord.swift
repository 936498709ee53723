import NetTypes
import ServiceRouting

/// What one loop knows and counts about an endpoint of a Service port; kept while it is listed or has connections.
struct EndpointRecord {
    /// An endpoint of a Service port.
    struct Key: Hashable {
        let port: ServicePortID
        let endpoint: SocketEndpoint
    }

    let key: Key
    let address: SocketAddress
    /// Lists of frontends that hold this record.
    var listings = 0
    var connections: UInt64 = 0
    var active: UInt64 = 0
    var bytesToEndpoint: UInt64 = 0
    var bytesToClient: UInt64 = 0
    var dialFailures: UInt64 = 0

    init(_ key: Key) {
        self.key = key
        address = SocketAddress(key.endpoint)
    }

    var counters: EndpointCounters {
        EndpointCounters(
            port: key.port, endpoint: key.endpoint, connections: connections, active: active,
            bytesToEndpoint: bytesToEndpoint, bytesToClient: bytesToClient, dialFailures: dialFailures)
    }
}

typealias RecordPointer = UnsafeMutablePointer<EndpointRecord>

/// All records of one loop.
struct EndpointRecords: ~Copyable {
    private var records: [EndpointRecord.Key: RecordPointer] = [:]

    init() {}

    deinit {
        for record in records.values {
            record.deinitialize(count: 1)
            record.deallocate()
        }
    }

    var counters: [EndpointCounters] { records.values.map(\.pointee.counters) }

    /// Has a frontend follow a route, and hold what it lists.
    mutating func list(_ route: FrontendRoute, for frontend: ServedFrontend) {
        frontend.route = route
        frontend.lists = []
        for verdict in route.verdicts where !frontend.lists.contains(where: { $0.verdict == verdict }) {
            frontend.lists.append((verdict, list(verdict.endpoints, of: route.port)))
        }
    }

    /// The same for a frontend that follows another route so far; what both list keeps its counts.
    mutating func relist(_ route: FrontendRoute, for frontend: ServedFrontend) {
        let old = frontend.records
        list(route, for: frontend)
        unlist(old)
    }

    /// Ends a frontend's hold.
    mutating func unlist(_ frontend: ServedFrontend) {
        unlist(frontend.records)
        frontend.lists = []
    }

    /// The records of a list, each held once more.
    private mutating func list(_ endpoints: [RoutedEndpoint], of port: ServicePortID) -> [RecordPointer] {
        endpoints.map { endpoint in
            let key = EndpointRecord.Key(port: port, endpoint: endpoint.address)
            let record: RecordPointer
            if let known = records[key] {
                record = known
            } else {
                record = .allocate(capacity: 1)
                record.initialize(to: EndpointRecord(key))
                records[key] = record
            }
            record.pointee.listings += 1
            return record
        }
    }

    private mutating func unlist(_ list: [RecordPointer]) {
        for record in list {
            record.pointee.listings -= 1
            dropIfUnused(record)
        }
    }

    /// Ends one connection's hold.
    mutating func leave(_ record: RecordPointer) {
        record.pointee.active -= 1
        if record.pointee.listings == 0 { dropIfUnused(record) }
    }

    private mutating func dropIfUnused(_ record: RecordPointer) {
        guard record.pointee.listings == 0, record.pointee.active == 0 else { return }
        records[record.pointee.key] = nil
        record.deinitialize(count: 1)
        record.deallocate()
    }
}
