import NIOCore
import NIOHTTP1

/// One request and the promise of its answer, written to a connection as a whole.
struct UpstreamExchange: Sendable {
    let request: UpstreamRequest
    /// The value of the Host header.
    let authority: String
    let response: EventLoopPromise<UpstreamResponse>
    let deadline: NIODeadline
    /// What to say when `deadline` passes.
    let limit: Duration

    /// The head that goes on the wire.
    ///
    /// - Parameter keepsAlive: whether the connection is to be used again.
    func head(keepsAlive: Bool) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        headers.reserveCapacity(8)
        headers.add(name: "Host", value: authority)
        headers.add(name: "User-Agent", value: "kiada/\(Kiada.edition)")
        headers.add(name: "Accept", value: "application/json, text/plain, */*;q=0.5")
        headers.add(name: "Connection", value: keepsAlive ? "keep-alive" : "close")
        if let traceparent = request.trace.traceparent { headers.add(name: "traceparent", value: traceparent) }
        if let tracestate = request.trace.tracestate { headers.add(name: "tracestate", value: tracestate) }
        if let json = request.json {
            headers.add(name: "Content-Type", value: "application/json")
            headers.add(name: "Content-Length", value: String(json.count))
        }
        return HTTPRequestHead(
            version: .http1_1, method: request.json == nil ? .GET : .POST, uri: request.path, headers: headers)
    }
}
