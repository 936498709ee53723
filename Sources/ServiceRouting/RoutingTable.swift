package import ClusterModel

/// Every frontend of this node with its route: a value computed from Services and EndpointSlices only.
///
/// A change of one Service costs O(that Service), as long as no copy of the table is held elsewhere.
/// Where two Services claim one frontend, the first by namespace and name has it, and gives it to the next when it goes.
package struct RoutingTable: Sendable, Equatable {
    package let options: RoutingOptions
    private var byService: [ServiceID: [FrontendRoute]] = [:]
    private var byFrontend: [Frontend: FrontendRoute] = [:]
    /// Who wants a frontend that somebody else has.
    private var waiting: [Frontend: Set<ServiceID>] = [:]
    private var healthByService: [ServiceID: HealthCheck] = [:]

    package init(options: RoutingOptions) { self.options = options }

    /// The table of all Services, with their slices.
    package init(services: [Service], slices: [EndpointSlice], options: RoutingOptions) {
        self.init(options: options)
        var slicesOf: [ServiceID: [EndpointSlice]] = [:]
        for slice in slices {
            guard let name = slice.serviceName else { continue }
            slicesOf[ServiceID(namespace: slice.namespace, name: name), default: []].append(slice)
        }
        for service in services {
            let id = ServiceID(namespace: service.namespace, name: service.name)
            _ = update(id, service: service, slices: slicesOf[id] ?? [])
        }
    }

    /// Puts the newest state of one Service in, and says which frontends that changes.
    ///
    /// `service` is nil when it is deleted; `slices` are all slices of that Service.
    package mutating func update(_ id: ServiceID, service: Service?, slices: [EndpointSlice]) -> RoutingDiff {
        let routes = service.map { ServiceRoutes.routes(of: $0, slices: slices, options: options) } ?? []
        healthByService[id] = service.flatMap { HealthCheck(of: $0, slices: slices, nodeName: options.nodeName) }
        let old = byService[id] ?? []
        guard routes != old else { return RoutingDiff() }
        byService[id] = routes.isEmpty ? nil : routes
        let touched = Set(old.map(\.frontend)).union(routes.map(\.frontend))
        var diff = RoutingDiff()
        let newRoutes = Dictionary(routes.map { ($0.frontend, $0) }, uniquingKeysWith: { first, _ in first })
        for frontend in touched {
            let before = byFrontend[frontend]
            let after = settle(frontend, changed: id, to: newRoutes[frontend])
            guard before != after else { continue }
            byFrontend[frontend] = after
            if let after { diff.changed.append(after) } else { diff.removed.append(frontend) }
        }
        diff.sort()
        return diff
    }

    /// Who has the frontend once `id` wants it with `route`, or no longer wants it.
    private mutating func settle(_ frontend: Frontend, changed id: ServiceID, to route: FrontendRoute?)
        -> FrontendRoute?
    {
        var claimants = waiting[frontend] ?? []
        if let holder = byFrontend[frontend]?.port.service { claimants.insert(holder) }
        if route == nil { claimants.remove(id) } else { claimants.insert(id) }
        guard let winner = claimants.min() else {
            waiting[frontend] = nil
            return nil
        }
        claimants.remove(winner)
        waiting[frontend] = claimants.isEmpty ? nil : claimants
        if winner == id { return route }
        return byService[winner]?.first { $0.frontend == frontend }
    }

    package subscript(frontend: Frontend) -> FrontendRoute? { byFrontend[frontend] }

    /// All routes, sorted by frontend.
    package var routes: [FrontendRoute] { byFrontend.values.sorted { $0.frontend < $1.frontend } }

    package var frontendCount: Int { byFrontend.count }

    /// Frontends that more than one Service claims, each with those that do not get it.
    package var contested: [Frontend: Set<ServiceID>] { waiting }

    /// What the servers on healthCheckNodePorts have to say (7.13), by Service.
    package var healthChecks: [ServiceID: HealthCheck] { healthByService }

    /// The routes of one Service, whether or not it has the frontends.
    package func routes(of service: ServiceID) -> [FrontendRoute] { byService[service] ?? [] }
}

/// What the server on a Service's healthCheckNodePort answers (7.13).
package struct HealthCheck: Hashable, Sendable {
    package let port: UInt16
    /// Ready endpoints on this node; those that terminate do not count.
    package let localEndpoints: Int

    init?(of service: Service, slices: [EndpointSlice], nodeName: String) {
        guard service.type == .loadBalancer, service.externalTrafficPolicy == .local,
            let port = service.healthCheckNodePort, port > 0
        else { return nil }
        self.port = port
        let local = slices.lazy.flatMap(\.endpoints).filter { $0.isReady && $0.nodeName == nodeName }
        localEndpoints = Set(local.compactMap(\.addresses.first)).count
    }
}
