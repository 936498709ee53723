/// The W3C trace context of a request, passed on unchanged.
package struct TraceContext: Equatable, Sendable {
    package var traceparent: String?
    package var tracestate: String?

    var isEmpty: Bool { traceparent == nil && tracestate == nil }

    package init(traceparent: String? = nil, tracestate: String? = nil) {
        self.traceparent = traceparent
        self.tracestate = tracestate
    }
}

/// A request to a dependency.
package struct UpstreamRequest: Equatable, Sendable {
    /// The path with everything percent-encoded; begins with a slash.
    package var path: String
    /// A JSON document to POST; nil makes it a GET.
    package var json: [UInt8]?
    package var trace: TraceContext

    package init(path: String, json: [UInt8]? = nil, trace: TraceContext = TraceContext()) {
        self.path = path
        self.json = json
        self.trace = trace
    }
}

/// The complete answer of a dependency, of whatever status.
package struct UpstreamResponse: Equatable, Sendable {
    package var status: Int
    /// `X-Pod-Name`: the pod that answered, if it says so.
    package var podName: String?
    package var body: [UInt8]

    package init(status: Int, podName: String? = nil, body: [UInt8]) {
        self.status = status
        self.podName = podName
        self.body = body
    }
}

/// Something that a dependency gave, and the pod that did.
package struct Served<Value: Sendable>: Sendable {
    package let value: Value
    package let podName: String?
    /// The bytes from which `value` was read, for those who pass them on.
    package let body: [UInt8]

    package init(_ value: Value, podName: String? = nil, body: [UInt8] = []) {
        self.value = value
        self.podName = podName
        self.body = body
    }
}

extension Served: Equatable where Value: Equatable {}
