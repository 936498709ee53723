/// A health check of a container, with the defaults of semantics 4.1.
package struct Probe: Hashable, Sendable {
    /// How the container is asked; a probe has exactly one way.
    package enum Handler: Hashable, Sendable {
        /// GET of `path`; 200 to 399 is success (4.4). `host` nil is the pod's own address.
        case httpGet(path: String, port: IntOrString, host: String?, isTLS: Bool, headers: [Header])
        /// A connection that opens is success.
        case tcpSocket(port: IntOrString, host: String?)
        /// A program run in the container, without a shell; exit code 0 is success.
        case exec(command: [String])
        /// The gRPC health protocol: `grpc.health.v1.Health/Check`; SERVING is success.
        case grpc(port: Int, service: String?)
    }

    /// One request header of an httpGet probe; an empty value removes a default header.
    package struct Header: Hashable, Sendable {
        package let name: String
        package let value: String
    }

    package let handler: Handler
    /// Seconds after the container's start before the first attempt; 0 or more.
    package let initialDelaySeconds: Int
    /// Seconds from one attempt to the next; 1 or more.
    package let periodSeconds: Int
    /// Seconds after which an attempt has failed; 1 or more.
    package let timeoutSeconds: Int
    /// Successes in a row that turn the result good; 1 or more.
    package let successThreshold: Int
    /// Failures in a row that turn the result bad; 1 or more.
    package let failureThreshold: Int

    /// A shorter period, from the pod's annotation ``paceAnnotation``; attempts then fail after twice this time.
    ///
    /// Kubernetes counts in seconds; containers that may be paused at any moment are to be noticed sooner.
    package internal(set) var pace: Duration?

    /// A period in milliseconds for all readiness probes of a pod, 50 to 1000.
    package static let paceAnnotation = "kiada.dev/probe-milliseconds"

    /// The time from one attempt to the next.
    package var period: Duration { min(pace ?? .seconds(periodSeconds), .seconds(periodSeconds)) }

    /// The time after which an attempt has failed.
    package var timeout: Duration { min(pace.map { $0 * 2 } ?? .seconds(timeoutSeconds), .seconds(timeoutSeconds)) }

    package init(
        handler: Handler, initialDelaySeconds: Int = 0, periodSeconds: Int = 10, timeoutSeconds: Int = 1,
        successThreshold: Int = 1, failureThreshold: Int = 3
    ) {
        self.handler = handler
        self.initialDelaySeconds = max(0, initialDelaySeconds)
        self.periodSeconds = max(1, periodSeconds)
        self.timeoutSeconds = max(1, timeoutSeconds)
        self.successThreshold = max(1, successThreshold)
        self.failureThreshold = max(1, failureThreshold)
    }

    /// Reads a probe of a container; nil when `json` has no handler that is known.
    init?(_ json: JSONValue) {
        guard let handler = Handler(json) else { return nil }
        func number(_ key: String, _ fallback: Int) -> Int {
            let value = json[key]?.intValue ?? 0
            return value == 0 ? fallback : value
        }
        self.init(
            handler: handler, initialDelaySeconds: number("initialDelaySeconds", 0),
            periodSeconds: number("periodSeconds", 10), timeoutSeconds: number("timeoutSeconds", 1),
            successThreshold: number("successThreshold", 1), failureThreshold: number("failureThreshold", 3))
    }
}

extension Probe.Handler {
    init?(_ json: JSONValue) {
        if let http = json["httpGet"], let port = IntOrString(http["port"]) {
            let headers = (http["httpHeaders"]?.arrayValue ?? []).compactMap { header in
                header["name"]?.stringValue.map { Probe.Header(name: $0, value: header["value"]?.stringValue ?? "") }
            }
            let path = http["path"]?.stringValue ?? ""
            self = .httpGet(
                path: path.isEmpty ? "/" : path, port: port, host: http["host"]?.stringValue?.nilIfEmpty,
                isTLS: http["scheme"]?.stringValue == "HTTPS", headers: headers)
        } else if let tcp = json["tcpSocket"], let port = IntOrString(tcp["port"]) {
            self = .tcpSocket(port: port, host: tcp["host"]?.stringValue?.nilIfEmpty)
        } else if let exec = json["exec"] {
            self = .exec(command: exec["command"]?.strings ?? [])
        } else if let grpc = json["grpc"], let port = grpc["port"]?.intValue {
            self = .grpc(port: port, service: grpc["service"]?.stringValue)
        } else {
            return nil
        }
    }
}

extension JSONValue {
    /// The strings of an array of strings; other elements are left out.
    var strings: [String] { (arrayValue ?? []).compactMap(\.stringValue) }
}

extension String {
    /// nil for the empty string, as an absent field and an empty one mean the same in manifests.
    var nilIfEmpty: String? { isEmpty ? nil : self }
}
