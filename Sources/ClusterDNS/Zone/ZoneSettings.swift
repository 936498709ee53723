package import DNSWire

/// What the names of a cluster look like.
package struct ZoneSettings: Hashable, Sendable {
    /// How names of pods (`10-244-1-5.kiada.pod.Z`) are answered (rule 6.7).
    package enum PodRecords: String, Hashable, Sendable, CaseIterable {
        /// They do not exist.
        case disabled
        /// Any address in an existing namespace is echoed.
        case insecure
        /// A ready endpoint with that address has to be in the namespace.
        case verified
    }

    /// The cluster domain, `cluster.local`.
    package var domain: Name
    /// Seconds, 0...3600.
    package var ttl: UInt32
    package var podRecords: PodRecords
    /// Namespace and name of the Service of the DNS server itself, which the apex names as its name server.
    package var dnsService: ServiceKey

    package init(
        domain: Name = Self.defaultDomain, ttl: UInt32 = 5, podRecords: PodRecords = .insecure,
        dnsService: ServiceKey = ServiceKey(namespace: "kube-system", name: "kube-dns")
    ) {
        self.domain = domain
        self.ttl = min(ttl, 3600)
        self.podRecords = podRecords
        self.dnsService = dnsService
    }

    /// `cluster.local`.
    package static let defaultDomain = Name(labels: ["cluster".utf8, "local".utf8].map(Array.init)) ?? .root
}

/// Which Service: namespace and name.
package struct ServiceKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var namespace: String
    package var name: String

    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    package var description: String { "\(namespace)/\(name)" }

    package static func < (left: ServiceKey, right: ServiceKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}
