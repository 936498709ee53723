import ClusterModel
import NetTypes

/// Zone hints by the annotation `service.kubernetes.io/topology-mode: Auto` (semantics 3.10b).
///
/// Zones get endpoints in proportion to the CPUs of their nodes, so that none is loaded by more than a fifth above its share.
enum TopologyHints {
    private static let annotations = [
        "service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints",
    ]
    private static let mostOverload = 1.2

    /// How it went for one family.
    enum Outcome: Equatable {
        case hinted
        case failed(Failure)
    }

    /// Why there are no hints.
    enum Failure: Error, Equatable, CustomStringConvertible {
        case nodeInformation
        case oneZone
        case fewEndpoints(Int, zones: Int)
        case overload(Int, zones: Int)
        case noZone

        var description: String {
            switch self {
            case .nodeInformation:
                "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
            case .oneZone: "Nodes only ready in one zone"
            case .fewEndpoints(let count, let zones):
                "Insufficient number of endpoints (\(count) endpoints, \(zones) zones)"
            case .overload(let count, let zones):
                "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold "
                    + "(\(count) endpoints, \(zones) zones)"
            case .noZone: "One or more endpoints do not have a zone specified"
            }
        }
    }

    static func isWanted(by service: Service) -> Bool {
        annotations.contains { ["Auto", "auto"].contains(service.object.annotations[$0]) }
    }

    /// Gives each ready endpoint of a family a hint, or none of them.
    ///
    /// - Parameter families: those of the Service.
    /// - Returns: how it went, for each family.
    static func add(
        to groups: inout [SliceGroup: [SliceEndpoint]], families: [IPFamily], nodes: some Collection<Node>
    ) -> [IPFamily: Outcome] {
        var outcomes: [IPFamily: Outcome] = [:]
        for family in families {
            let keys = groups.keys.filter { $0.family == family }.sorted {
                $0.ports.lexicographicallyPrecedes($1.ports)
            }
            let places = keys.flatMap { key in
                (groups[key] ?? []).enumerated().filter { $0.element.isReady }.map { (key: key, index: $0.offset) }
            }
            let zones = places.map { groups[$0.key]?[$0.index].json["zone"]?.stringValue }
            do throws(Failure) {
                let hints = try zonesToServe(endpointZones: zones, shares: try shares(of: nodes))
                for (place, zone) in zip(places, hints) {
                    groups[place.key]?[place.index].json["hints"] = ["forZones": [["name": .string(zone)]]]
                }
                outcomes[family] = .hinted
            } catch {
                outcomes[family] = .failed(error)
            }
        }
        return outcomes
    }

    /// The part of all CPUs that each zone has; the parts add up to 1.
    static func shares(of nodes: some Collection<Node>) throws(Failure) -> [String: Double] {
        var cpus: [String: Double] = [:]
        for node in nodes where node.isReady && !node.isControlPlane {
            guard let zone = node.zone, let cpu = node.allocatableMilliCPU else { throw .nodeInformation }
            cpus[zone, default: 0] += Double(cpu)
        }
        guard cpus.count > 1 else { throw .oneZone }
        let sum = cpus.values.reduce(0, +)
        return cpus.mapValues { $0 / sum }
    }

    /// For each endpoint, the zone that it is to serve.
    ///
    /// - Parameter endpointZones: where the ready endpoints are.
    static func zonesToServe(
        endpointZones: [String?], shares: [String: Double]
    ) throws(Failure) -> [String] {
        let count = endpointZones.count
        guard count >= shares.count else { throw .fewEndpoints(count, zones: shares.count) }
        let desired = shares.mapValues { $0 * Double(count) }
        let minimum = desired.values.reduce(0) { $0 + ($1 / mostOverload).rounded(.up) }
        guard minimum <= Double(count) else { throw .overload(count, zones: shares.count) }
        var result = endpointZones.compactMap { $0 }
        guard result.count == count else { throw .noZone }
        // How many more endpoints each zone has than it should; one without nodes of ours should have none.
        var surplus: [String: Double] = desired.mapValues { -$0 }
        for zone in result { surplus[zone, default: 0] += 1 }
        while let giver = surplus.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }),
            let taker = surplus.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }),
            giver.value >= 1 || -taker.value >= 1, giver.value >= 0.5, -taker.value >= 0.5,
            let index = result.lastIndex(of: giver.key)
        {
            result[index] = taker.key
            surplus[giver.key] = giver.value - 1
            surplus[taker.key] = taker.value + 1
        }
        return result
    }
}
