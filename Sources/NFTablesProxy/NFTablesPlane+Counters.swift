#if os(Linux)
import NetTypes
import ServiceRouting

/// What went to each endpoint, as the kernel counts it.
extension NFTablesPlane {
    /// Keeps the counts of elements that are about to go.
    ///
    /// A connection that comes in between is not counted.
    func retire(_ removed: [Element], _ ports: [Frontend: ServicePortID], _ state: inout State) {
        let going = removed.filter { $0.set == .endpoints }
        guard !going.isEmpty else { return }
        for family in IPFamily.allCases {
            let mine = going.filter { $0.family == family }
            guard !mine.isEmpty else { continue }
            var portOfKey: [[UInt8]: ServicePortID] = [:]
            for element in mine {
                guard case .slot(let frontend, _) = element.key, let port = ports[frontend] else {
                    continue
                }
                portOfKey[ElementCodec.key(element.key)] = port
            }
            var counts: [CounterKey: UInt64] = [:]
            let isFew = mine.count <= 256
            try? state.socket.ask(isFew ? .get(mine, family, table) : .dump(.endpoints, family, table)) { payload in
                for reading in ElementCodec.readings(payload, family) where reading.packets > 0 {
                    guard let port = portOfKey[Array(reading.key)], let endpoint = reading.endpoint else { continue }
                    counts[CounterKey(port: port, endpoint: endpoint), default: 0] += reading.packets
                }
            }
            state.retired.merge(counts, uniquingKeysWith: +)
        }
    }

    func counters(_ state: inout State) -> [EndpointCounters] {
        var sums: [CounterKey: EndpointCounters] = [:]
        func add(_ key: CounterKey, _ body: (inout EndpointCounters) -> Void) {
            body(&sums[key, default: EndpointCounters(port: key.port, endpoint: key.endpoint)])
        }
        var listed: Set<CounterKey> = []
        var ports: [[UInt8]: ServicePortID] = [:]
        for (frontend, served) in state.rules.served {
            for endpoint in served.route.reachable {
                let key = CounterKey(port: served.route.port, endpoint: endpoint)
                if listed.insert(key).inserted { add(key) { _ in } }
            }
            ports[ElementCodec.key(.frontend(frontend))] = served.route.port
        }
        for family in IPFamily.allCases {
            let length = family == .v4 ? 12 : 24
            try? state.socket.ask(.dump(.endpoints, family, table)) { payload in
                for reading in ElementCodec.readings(payload, family) where reading.packets > 0 {
                    guard let endpoint = reading.endpoint, let port = ports[Array(reading.key.prefix(length))] else {
                        continue
                    }
                    add(CounterKey(port: port, endpoint: endpoint)) { $0.connections += reading.packets }
                }
            }
        }
        for (key, count) in state.retired { add(key) { $0.connections += count } }
        let served = state.rules.served
        try? state.socket.ask(.dumpConnections) { payload in
            guard let connection = Connection(payload), connection.mark & 0xFF00_0000 == Ruleset.mark,
                connection.isOpen,
                let port = served[connection.frontend]?.route.port
            else { return }
            add(CounterKey(port: port, endpoint: connection.endpoint)) { counters in
                counters.active += 1
                counters.bytesToEndpoint += connection.bytes.there
                counters.bytesToClient += connection.bytes.back
            }
        }
        for (key, counters) in sums where !listed.contains(key) && counters.active == 0 {
            sums[key] = nil
            state.retired[key] = nil
        }
        return sums.values.sorted { ($0.port, $0.endpoint) < ($1.port, $1.endpoint) }
    }
}
#endif
