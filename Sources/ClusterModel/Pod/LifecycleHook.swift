/// What is done right after a container has started, or before it is told to stop.
package enum LifecycleHook: Hashable, Sendable {
    /// Which of the two; the raw value is the field's name.
    package enum Kind: String, Sendable {
        case postStart
        case preStop
    }

    /// A program run in the container; its exit code has to be 0.
    case exec(command: [String])
    /// GET of `path`; 200 to 399 is success. `host` nil is the pod's own address.
    case httpGet(path: String, port: IntOrString, host: String?, isTLS: Bool, headers: [Probe.Header])
    /// Only time passes.
    case sleep(seconds: Int)

    /// Reads a hook; nil when `json` has no way that is known.
    init?(_ json: JSONValue) {
        if let seconds = json["sleep"]?["seconds"]?.intValue {
            self = .sleep(seconds: max(0, seconds))
            return
        }
        switch Probe.Handler(json) {
        case .exec(let command): self = .exec(command: command)
        case .httpGet(let path, let port, let host, let isTLS, let headers):
            self = .httpGet(path: path, port: port, host: host, isTLS: isTLS, headers: headers)
        // A connection that is only opened was never a hook, though the API takes it.
        case .tcpSocket, .grpc, nil: return nil
        }
    }
}
