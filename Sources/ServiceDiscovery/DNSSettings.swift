/// Where discovery by DNS takes its settings from.
package struct DNSSettings: Hashable, Sendable {
    package var resolvConfPath: String
    package var hostsPath: String
    /// The port of all name servers; another than 53 is for tests.
    package var port: UInt16
    /// Answers that are kept at most.
    package var cacheLimit: Int
    /// The longest that one server may take for one try, whatever resolv.conf says.
    package var timeoutLimit: Duration

    package init(
        resolvConfPath: String = "/etc/resolv.conf", hostsPath: String = "/etc/hosts", port: UInt16 = 53,
        cacheLimit: Int = 1024, timeoutLimit: Duration = .seconds(1)
    ) {
        self.resolvConfPath = resolvConfPath
        self.hostsPath = hostsPath
        self.port = port
        self.cacheLimit = cacheLimit
        self.timeoutLimit = timeoutLimit
    }

    /// `RESOLV_CONF` names another file than /etc/resolv.conf; an empty value counts as none.
    package init(environment: [String: String]) {
        let path = environment["RESOLV_CONF"] ?? ""
        self.init(resolvConfPath: path.isEmpty ? "/etc/resolv.conf" : path)
    }
}
