import NetTypes

/// The URL of a Service: scheme, host, port and path.
///
/// User names, queries and fragments are refused.
package struct ServiceURL: Hashable, Sendable, CustomStringConvertible {
    /// `http` or `https`.
    package let scheme: String
    /// A name or an address, IPv6 without its brackets.
    package let host: String
    package let port: UInt16
    /// Begins with a slash and does not end in one, or is empty.
    package let path: String

    /// Why a text is no such URL.
    package struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
    }

    package init(_ text: String) throws(Invalid) {
        func invalid(_ reason: String) -> Invalid { Invalid(description: "'\(text)' \(reason)") }
        let lowered = text.lowercased()
        guard let scheme = ["http", "https"].first(where: { lowered.hasPrefix($0 + "://") }) else {
            throw invalid("does not begin with http:// or https://")
        }
        let rest = text.dropFirst(scheme.count + 3)
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !rest.contains(where: { "?#@\\\"<>".contains($0) })
        else {
            throw invalid("has characters that do not belong into the URL of a service")
        }
        let authority = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path = path.dropLast() }
        var (host, portText) = (authority, Substring(""))
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            portText = authority[authority.index(after: end)...]
            guard IPv6Address(host) != nil, portText.isEmpty || portText.hasPrefix(":") else {
                throw invalid("has no IPv6 address in its brackets")
            }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            portText = authority[colon...]
        }
        guard !host.isEmpty else { throw invalid("names no host") }
        if portText.isEmpty || portText == ":" {
            port = Self.defaultPort(scheme)
        } else {
            guard let number = UInt16(portText.dropFirst()), number > 0, portText.dropFirst().allSatisfy(\.isNumber)
            else {
                throw invalid("has no port from 1 to 65535")
            }
            port = number
        }
        self.scheme = scheme
        self.host = String(host)
        self.path = String(path)
    }

    /// Host and, unless it is the scheme's own, port.
    package var authority: String { Self.authority(host: host, port: port, scheme: scheme) }

    package var description: String { "\(scheme)://\(authority)\(path)" }

    static func authority(host: String, port: UInt16, scheme: String) -> String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port == defaultPort(scheme) ? host : "\(host):\(port)"
    }

    private static func defaultPort(_ scheme: String) -> UInt16 { scheme == "https" ? 443 : 80 }
}
