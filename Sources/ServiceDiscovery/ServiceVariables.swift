import NetTypes

/// What the environment variables of a container say about a Service (section 5 of the semantics).
enum ServiceVariables {
    enum Reading: Equatable {
        case found(SocketEndpoint)
        /// Why the variables are no use, in words for people.
        case unusable(String)
    }

    /// Reads `<NAME>_SERVICE_HOST` and the port from `<NAME>_SERVICE_PORT_HTTP`, else `<NAME>_SERVICE_PORT`.
    static func read(_ name: String, environment: [String: String]) -> Reading {
        let prefix = String(name.uppercased().map { $0 == "-" ? "_" : $0 })
        let hostKey = "\(prefix)_SERVICE_HOST"
        guard let host = environment[hostKey], !host.isEmpty else { return .unusable("\(hostKey) is not set") }
        guard let address = IPAddress(host) else { return .unusable("\(hostKey) '\(host)' is not an IP address") }
        let keys = ["\(prefix)_SERVICE_PORT_HTTP", "\(prefix)_SERVICE_PORT"]
        guard let key = keys.first(where: { environment[$0]?.isEmpty == false }), let text = environment[key] else {
            return .unusable("\(hostKey) is set, but \(keys[0]) and \(keys[1]) are not")
        }
        guard let port = UInt16(text), port > 0 else { return .unusable("\(key) '\(text)' is not a port") }
        return .found(SocketEndpoint(address: address, port: port))
    }
}
