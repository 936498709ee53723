import DNSWire
import NetTypes

/// What a name in or around the zone is about, by its shape alone (rule 6.1).
///
///     Z                      apex                E.S.N.svc.Z            endpoint
///     dns-version.Z          version             _p._t.S.N.svc.Z        port and protocol
///     ns.dns.Z               nameServer          pod.Z, N.pod.Z         container
///     svc.Z, N.svc.Z         container           A-B-C-D.N.pod.Z        pod
///     S.N.svc.Z              service             ….in-addr.arpa         reverse
enum ClusterName: Equatable {
    case apex
    case version
    case nameServer
    /// `svc.Z` and `pod.Z` without a namespace, or with one.
    case container(namespace: String?, isPod: Bool)
    case service(ServiceKey)
    case endpoint(String, of: ServiceKey)
    case port(String, proto: String, of: ServiceKey)
    case pod(String, namespace: String)
    case reverse(IPAddress)
    /// Within the zone, and nothing that could exist.
    case impossible
    case outside

    init(_ name: Name, domain: Name) {
        guard name.isWithin(domain) else {
            self = Self.reverseAddress(name).map(Self.reverse) ?? .outside
            return
        }
        let labels = name.labels.dropLast(domain.labelCount).map(Self.text)
        switch (labels.last, labels.count) {
        case (nil, _): self = .apex
        case ("dns-version", 1): self = .version
        case ("dns", 2) where labels[0] == "ns": self = .nameServer
        case ("svc", 1), ("pod", 1): self = .container(namespace: nil, isPod: labels[0] == "pod")
        case ("svc", 2), ("pod", 2): self = .container(namespace: labels[0], isPod: labels[1] == "pod")
        case ("pod", 3): self = .pod(labels[0], namespace: labels[1])
        case ("svc", 3): self = .service(ServiceKey(namespace: labels[1], name: labels[0]))
        case ("svc", 4): self = .endpoint(labels[0], of: ServiceKey(namespace: labels[2], name: labels[1]))
        case ("svc", 5):
            self = .port(
                Self.withoutUnderscore(labels[0]), proto: Self.withoutUnderscore(labels[1]),
                of: ServiceKey(namespace: labels[3], name: labels[2]))
        default: self = .impossible
        }
    }

    /// The address in `5.1.244.10.in-addr.arpa`, or in 32 nibbles before `ip6.arpa`.
    private static func reverseAddress(_ name: Name) -> IPAddress? {
        let labels = name.labels.map(text)
        guard labels.last == "arpa", labels.count > 2 else { return nil }
        switch labels[labels.count - 2] {
        case "in-addr": return IPv4Address(labels.dropLast(2).reversed().joined(separator: ".")).map(IPAddress.v4)
        case "ip6":
            let nibbles = labels.dropLast(2).reversed()
            guard nibbles.count == 32, nibbles.allSatisfy({ $0.utf8.count == 1 }) else { return nil }
            let digits = nibbles.joined()
            guard let high = UInt64(digits.prefix(16), radix: 16), let low = UInt64(digits.suffix(16), radix: 16) else {
                return nil
            }
            return .v6(IPv6Address(high: high, low: low))
        default: return nil
        }
    }

    private static func text(_ label: ArraySlice<UInt8>) -> String {
        String(decoding: label.map(\.asciiLowercased), as: UTF8.self)
    }

    private static func withoutUnderscore(_ label: String) -> String {
        label.hasPrefix("_") ? String(label.dropFirst()) : label
    }
}
