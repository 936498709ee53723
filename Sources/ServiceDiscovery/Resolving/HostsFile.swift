package import NetTypes

/// What a hosts file says: addresses by name, letter case aside.
///
/// `localhost` and every name below it are 127.0.0.1 and ::1 whatever the file says (RFC 6761 section 6.3), so that they
/// never leave the machine.
package struct HostsFile: Sendable {
    private var addresses: [String: [IPAddress]] = [:]

    /// Reads lines of `address name...`; lines that begin with no address are skipped.
    package init(parsing text: some StringProtocol) {
        for line in String(text).split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, let address = IPAddress(first) else { continue }
            for name in words.dropFirst() { addresses[Self.key(name), default: []].append(address) }
        }
    }

    /// All addresses of `name`, in the order of the file; empty when it is not there.
    package func addresses(of name: String) -> [IPAddress] {
        let key = Self.key(name)
        if key == "localhost" || key.hasSuffix(".localhost") {
            return [.v4(IPv4Address(bits: 0x7F00_0001)), .v6(IPv6Address(high: 0, low: 1))]
        }
        return addresses[key] ?? []
    }

    private static func key(_ name: some StringProtocol) -> String {
        let folded = name.lowercased()
        return folded.hasSuffix(".") ? String(folded.dropLast()) : folded
    }
}
