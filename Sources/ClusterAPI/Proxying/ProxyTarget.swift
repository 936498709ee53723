import ClusterModel
import ClusterStore
import NetTypes

/// A program behind the API server that a request is passed on to:
/// `/api/v1/namespaces/NS/{services|pods}/[http:|https:]NAME[:PORT]/proxy/PATH`.
struct ProxyTarget: Equatable {
    let key: ObjectKey
    let isTLS: Bool
    /// A number, or a name of a Service's port; empty for the only or first one.
    let port: String
    /// What the program is asked for, as it came; empty without a slash behind `proxy`.
    let path: String

    /// nil for every other path.
    init?(_ path: String) {
        let steps = path.split(separator: "/", maxSplits: 8, omittingEmptySubsequences: false)
        guard steps.count >= 8, steps[0].isEmpty, steps[1] == "api", steps[2] == "v1", steps[3] == "namespaces",
            steps[7] == "proxy"
        else { return nil }
        let type: ResourceType
        switch steps[5] {
        case "services": type = .services
        case "pods": type = .pods
        default: return nil
        }
        var parts = PercentCoding.decoded(steps[6], plusIsSpace: false)
            .split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 3 {
            guard ["", "http", "https"].contains(parts[0]) else { return nil }
            isTLS = parts.removeFirst() == "https"
        } else {
            isTLS = false
        }
        guard parts.count <= 2, !parts[0].isEmpty else { return nil }
        key = ObjectKey(type, namespace: String(steps[4]), name: parts[0])
        port = parts.count == 2 ? parts[1] : ""
        self.path = steps.count > 8 ? "/\(steps[8])" : ""
    }

    /// Where the program listens.
    ///
    /// - Throws: NotFound, or ServiceUnavailable where nobody takes connections.
    func endpoint(in store: Store) throws(APIError) -> (host: String, port: Int) {
        guard let object = store.get(key) else { throw .notFound(key) }
        return key.type == .pods ? try endpoint(of: Pod(object)) : try endpoint(of: Service(object), in: store)
    }

    private func endpoint(of pod: Pod) throws(APIError) -> (host: String, port: Int) {
        guard let address = pod.addresses.first else {
            throw APIError(.serviceUnavailable, "address not allowed: pod \(pod.name) has none yet")
        }
        let number = port.isEmpty ? Int(pod.containers.flatMap(\.ports).first?.number ?? (isTLS ? 443 : 80)) : Int(port)
        guard let number, (1...65535).contains(number) else {
            throw APIError(.badRequest, "invalid port \(FieldError.quoted(port))")
        }
        return (address.description, number)
    }

    private func endpoint(of service: Service, in store: Store) throws(APIError) -> (host: String, port: Int) {
        let ports = service.ports
        let found = port.isEmpty ? ports.first : ports.first { $0.name == port || "\($0.port)" == port }
        guard let found, port.isEmpty == false || ports.count == 1 else {
            throw APIError(
                .serviceUnavailable,
                "no service port \(FieldError.quoted(port)) found for service \(FieldError.quoted(service.name))")
        }
        var candidates: [(String, Int)] = []
        for object in store.list(.endpointslices, namespace: key.namespace).items {
            let slice = EndpointSlice(object)
            guard slice.serviceName == service.name,
                let number = slice.ports.first(where: { $0.name == found.name && $0.proto == .tcp })?.port
            else { continue }
            for endpoint in slice.endpoints where endpoint.isReady {
                if let address = endpoint.addresses.first { candidates.append((address.description, Int(number))) }
            }
        }
        guard let chosen = candidates.randomElement() else {
            throw APIError(
                .serviceUnavailable, "no endpoints available for service \(FieldError.quoted(service.name))")
        }
        return chosen
    }
}
