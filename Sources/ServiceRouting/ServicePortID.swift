package import NetTypes

/// A Service, by namespace and name.
package struct ServiceID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let namespace: String
    package let name: String

    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    package var description: String { "\(namespace)/\(name)" }

    package static func < (left: ServiceID, right: ServiceID) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// One port of a Service: the unit that endpoints, affinity and counters belong to (7.7).
package struct ServicePortID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let service: ServiceID
    /// Empty for an unnamed port.
    package let portName: String
    package let proto: TransportProtocol

    package init(service: ServiceID, portName: String, proto: TransportProtocol) {
        self.service = service
        self.portName = portName
        self.proto = proto
    }

    /// `kiada/quote:http`, or `kiada/quote` for an unnamed port, as kube-proxy writes it.
    package var description: String { portName.isEmpty ? "\(service)" : "\(service):\(portName)" }

    package static func < (left: ServicePortID, right: ServicePortID) -> Bool {
        (left.service, left.portName, left.proto) < (right.service, right.portName, right.proto)
    }
}
