import NIOCore

/// One request, and who waits for its answer.
struct UpstreamExchange: Sendable {
    /// As it goes on the wire.
    let request: ByteBuffer
    let deadline: NIODeadline
    /// What to say when `deadline` passes.
    let limit: Duration
    /// Called once, on the event loop of the connection.
    let answer: @Sendable (Result<UpstreamResponse, UpstreamError>) -> Void
}

extension UpstreamRequest {
    /// The request as it goes on the wire.
    ///
    /// - Parameters:
    ///   - authority: the value of the Host header.
    ///   - keepsAlive: whether the connection is to be used again.
    func bytes(to authority: String, keepsAlive: Bool) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: 256 + (json?.count ?? 0))
        bytes.writeStaticString(json == nil ? "GET " : "POST ")
        bytes.writeString(path)
        bytes.writeStaticString(" HTTP/1.1\r\nHost: ")
        bytes.writeString(authority)
        bytes.writeStaticString("\r\nUser-Agent: kiada/")
        bytes.writeString(Kiada.edition)
        bytes.writeStaticString("\r\nAccept: application/json, text/plain, */*;q=0.5\r\nConnection: ")
        bytes.writeStaticString(keepsAlive ? "keep-alive\r\n" : "close\r\n")
        Self.write("traceparent: ", trace.traceparent, to: &bytes)
        Self.write("tracestate: ", trace.tracestate, to: &bytes)
        if let json { bytes.writeString("Content-Type: application/json\r\nContent-Length: \(json.count)\r\n") }
        bytes.writeStaticString("\r\n")
        if let json { bytes.writeBytes(json) }
        return bytes
    }

    /// A field whose value comes from a client: left out if it could be more than a value (RFC 9110 section 5.5).
    private static func write(_ name: StaticString, _ value: String?, to bytes: inout ByteBuffer) {
        guard let value, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return }
        bytes.writeStaticString(name)
        bytes.writeString(value)
        bytes.writeStaticString("\r\n")
    }
}
