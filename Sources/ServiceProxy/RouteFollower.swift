import ClusterModel
import ClusterStore
import Logging
import NetTypes
import ProxyHealth
import ServiceRouting
import Synchronization

/// Keeps a data plane as Services and EndpointSlices are.
struct RouteFollower {
    static let types: Set<ResourceType> = [.services, .endpointslices]

    private let plane: any DataPlane
    private let options: RoutingOptions
    private var table: RoutingTable
    private var services: [ServiceID: Service] = [:]
    private var slices: [ServiceID: [String: EndpointSlice]] = [:]
    /// Ports of Services that drop what they get, by Service.
    private var droppingPorts: [ServiceID: NoLocalEndpoints] = [:]
    /// What the plane could not serve when it was last asked.
    private(set) var problems: [FrontendProblem] = []
    /// What ``problems`` say.
    private var problemSentences: [String] = []

    init(_ plane: any DataPlane, options: RoutingOptions) {
        self.plane = plane
        self.options = options
        table = RoutingTable(options: options)
    }

    /// Takes a burst of changes in and hands the difference to the plane.
    ///
    /// - Returns: what cannot be served, in sentences.
    mutating func handle(_ events: [WatchEvent]) async -> [String] {
        var touched: Set<ServiceID> = []
        for event in events {
            let object = event.object
            if object.type == .services {
                let id = ServiceID(namespace: object.namespace, name: object.name)
                services[id] = event.kind == .deleted ? nil : Service(object)
                touched.insert(id)
            } else {
                let slice = EndpointSlice(object)
                guard let name = slice.serviceName else { continue }
                let id = ServiceID(namespace: object.namespace, name: name)
                slices[id, default: [:]][object.name] = event.kind == .deleted ? nil : slice
                if slices[id]?.isEmpty == true { slices[id] = nil }
                touched.insert(id)
            }
        }
        // Services may pass a frontend on to each other: the last word about each counts.
        var routes: [Frontend: FrontendRoute?] = [:]
        for id in touched.sorted() {
            let change = table.update(
                id, service: services[id], slices: (slices[id] ?? [:]).sorted { $0.key < $1.key }.map(\.value))
            for route in change.changed { routes[route.frontend] = .some(route) }
            for frontend in change.removed { routes[frontend] = .some(nil) }
            let dropping = Self.droppingPorts(table.routes(of: id))
            droppingPorts[id] = dropping == NoLocalEndpoints() ? nil : dropping
        }
        var diff = RoutingDiff()
        for (frontend, route) in routes.sorted(by: { $0.key < $1.key }) {
            if let route { diff.changed.append(route) } else { diff.removed.append(frontend) }
        }
        return await take(diff)
    }

    /// What the servers on healthCheckNodePorts have to say, by Service.
    var healthChecks: [ServiceID: HealthCheck] { table.healthChecks }

    /// Ports that have a Local policy and no endpoint here, over all Services.
    var noLocalEndpoints: NoLocalEndpoints {
        droppingPorts.values.reduce(into: NoLocalEndpoints()) { sum, ports in
            sum.internalPolicy += ports.internalPolicy
            sum.externalPolicy += ports.externalPolicy
        }
    }

    /// Only a Local policy makes a port drop what comes from outside (7.5).
    private static func droppingPorts(_ routes: [FrontendRoute]) -> NoLocalEndpoints {
        func count(isExternal: Bool) -> Int {
            Set(routes.filter { $0.outside == .drop && $0.kind.isExternal == isExternal }.map(\.port)).count
        }
        return NoLocalEndpoints(internalPolicy: count(isExternal: false), externalPolicy: count(isExternal: true))
    }

    /// Gives what could not be served another chance.
    mutating func retry() async -> [String] {
        await take(RoutingDiff())
    }

    private mutating func take(_ diff: RoutingDiff) async -> [String] {
        let now = await plane.apply(diff)
        // There may be thousands, and mostly they are the ones of before.
        if now != problems {
            problems = now
            problemSentences = Self.sentences(now)
        }
        return problemSentences + contestedSentences
    }

    /// More problems with one cause than this are one sentence.
    private static let mostAlike = 10

    private static func sentences(_ problems: [FrontendProblem]) -> [String] {
        var sentences: [String] = []
        for (_, alike) in Dictionary(grouping: problems, by: \.cause) {
            let isMany = alike.count > mostAlike
            sentences += alike.prefix(isMany ? 1 : alike.count).map { isMany ? "\($0); others too" : "\($0)" }
        }
        return sentences.sorted()
    }

    private var contestedSentences: [String] {
        table.contested.sorted { $0.key < $1.key }.compactMap { frontend, others in
            guard let holder = table[frontend]?.port else { return nil }
            let names = others.sorted().map(\.description).joined(separator: ", ")
            return "\(frontend) is served for \(holder), so \(names) cannot have it too"
        }
    }
}
