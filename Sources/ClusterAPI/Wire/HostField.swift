import NetTypes

/// Whom a request believes to talk to (RFC 9110 section 7.2).
///
/// A page in a browser can let a name of its own lead to this machine (DNS rebinding), but no address: so every address is
/// fine, and of names only those that a cluster gives its API.
package enum HostField {
    /// What the API's certificate is made for.
    package static let names = [
        "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ]

    /// Whether a value names us; clients of HTTP/1.0 send none.
    package static func isOurs(_ value: String?) -> Bool {
        guard let value, !value.isEmpty else { return true }
        if value.hasPrefix("[") {
            guard let end = value.firstIndex(of: "]") else { return false }
            return IPv6Address(value[value.index(after: value.startIndex)..<end]) != nil
        }
        let host = value.prefix { $0 != ":" }
        return IPv4Address(host) != nil || names.contains(host.lowercased())
    }
}
