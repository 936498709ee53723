import DNSWire
package import NetTypes

/// What a resolv.conf file says: whom to ask, which names to try, and how patiently.
///
/// Limits (rule 6.12 and resolv.conf(5)): the first 3 name servers; 32 search domains of at most 253 characters each,
/// 2048 together with spaces; `ndots` 0...15, `timeout` 1...30 s, `attempts` 1...5.
package struct ResolverConfiguration: Hashable, Sendable {
    package var nameservers: [SocketEndpoint]
    /// Domains without their final dot.
    package var search: [String]
    /// Names with fewer dots are tried in the search domains first.
    package var ndots: Int
    /// How long one server may take for one try.
    package var timeout: Duration
    /// How often the whole list of servers is gone through.
    package var attempts: Int
    /// Starts at another server each time.
    package var rotates: Bool

    package static let nameserverLimit = 3
    package static let searchLimit = 32
    package static let domainLengthLimit = 253
    package static let searchLengthLimit = 2048

    package init(
        nameservers: [SocketEndpoint], search: [String] = [], ndots: Int = 1, timeout: Duration = .seconds(5),
        attempts: Int = 2, rotates: Bool = false
    ) {
        self.nameservers = nameservers
        self.search = search
        self.ndots = ndots
        self.timeout = timeout
        self.attempts = attempts
        self.rotates = rotates
    }

    /// Reads the text of the file as glibc does: lines and options that mean nothing are skipped, never an error.
    ///
    /// The last `search` or `domain` line wins; without any name server the one on 127.0.0.1 is asked. `port` is for
    /// tests, as the file has no way to name one.
    package init(parsing text: some StringProtocol, port: UInt16 = 53) {
        self.init(nameservers: [])
        for line in String(text).split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" && $0 != ";" }.split(whereSeparator: \.isWhitespace)
            switch words.first {
            case "nameserver":
                guard nameservers.count < Self.nameserverLimit, words.count > 1, let address = IPAddress(words[1])
                else {
                    continue
                }
                nameservers.append(SocketEndpoint(address: address, port: port))
            case "search", "domain": search = Self.domains(words.dropFirst())
            case "options": for option in words.dropFirst() { apply(option) }
            default: continue
            }
        }
        if nameservers.isEmpty {
            nameservers = [SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: port)]
        }
    }

    private static func domains(_ words: some Sequence<Substring>) -> [String] {
        var domains: [String] = []
        var length = -1
        for word in words {
            let domain = word.hasSuffix(".") && word.count > 1 ? String(word.dropLast()) : String(word)
            guard domain != ".", domain.utf8.count <= domainLengthLimit, Name(domain) != nil else { continue }
            length += 1 + domain.utf8.count
            guard domains.count < searchLimit, length <= searchLengthLimit else { break }
            domains.append(domain)
        }
        return domains
    }

    private mutating func apply(_ option: some StringProtocol) {
        if option == "rotate" { rotates = true }
        let parts = option.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let value = Int(parts[1]), value >= 0 else { return }
        switch parts[0] {
        case "ndots": ndots = min(value, 15)
        case "timeout": timeout = .seconds(min(max(value, 1), 30))
        case "attempts": attempts = min(max(value, 1), 5)
        default: return
        }
    }
}
