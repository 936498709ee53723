import ClusterModel
import DNSWire
import NetTypes

/// All that DNS says about one Service.
struct ServiceNames: Sendable, Equatable {
    /// What the name of the Service leads to.
    enum Kind: Sendable, Equatable {
        case cluster([IPAddress])
        case headless
        /// nil when the external name is no domain name, or is an address (6.5).
        case external(Name?)
    }

    /// A port that has SRV records.
    struct Port: Hashable, Sendable {
        /// Empty for an unnamed port.
        var name: String
        /// In lower case, as it stands in names: `tcp`.
        var proto: String
        var number: UInt16
    }

    /// One address of one ready endpoint.
    struct Endpoint: Hashable, Sendable {
        /// The endpoint's label in names (6.3).
        var label: String
        var address: IPAddress
        var ports: [Port]
    }

    var kind: Kind
    var ports: [Port]
    /// Ready endpoints only, each address once.
    var endpoints: [Endpoint]

    init(_ service: Service) {
        if service.type == .externalName {
            let text = service.externalName ?? ""
            let isAddress = IPAddress(text) != nil
            kind = .external(isAddress ? nil : Name(text))
        } else if service.isHeadless {
            kind = .headless
        } else {
            kind = .cluster(service.clusterAddresses)
        }
        ports = service.ports.map { Port(name: $0.name, proto: $0.proto.rawValue.lowercased(), number: $0.port) }
        endpoints = []
    }

    /// Takes the ready endpoints of all slices of the Service.
    mutating func setEndpoints(from slices: some Sequence<EndpointSlice>) {
        var index: [String: Int] = [:]
        endpoints = []
        for slice in slices where slice.family != nil {
            let ports = slice.ports.map { Port(name: $0.name, proto: $0.proto.rawValue.lowercased(), number: $0.port) }
            for endpoint in slice.endpoints where endpoint.isReady {
                for address in endpoint.addresses {
                    let label = endpoint.hostname?.lowercased() ?? Self.label(of: address)
                    let key = "\(label)/\(address)"
                    if let place = index[key] {
                        // The same pod in a second slice: a named target port differs among pods (3.4).
                        endpoints[place].ports += ports.filter { !endpoints[place].ports.contains($0) }
                    } else {
                        index[key] = endpoints.count
                        endpoints.append(Endpoint(label: label, address: address, ports: ports))
                    }
                }
            }
        }
    }

    /// The address with dashes for dots and colons; one that would end in a dash gets a zero (6.3).
    static func label(of address: IPAddress) -> String {
        let label = String(address.description.map { $0 == "." || $0 == ":" ? "-" : $0 })
        return label.hasSuffix("-") ? label + "0" : label
    }
}
