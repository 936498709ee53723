import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

extension HTTPField.Name {
    static let podName = Self("X-Pod-Name") ?? .server
    /// The pod of the dependency whose answer this is.
    static let upstreamPodName = Self("X-Upstream-Pod-Name") ?? .server
    static let traceparent = Self("traceparent") ?? .server
    static let tracestate = Self("tracestate") ?? .server
}

/// The kinds of answers that kiada gives. None may be kept by a cache: each request is to be balanced.
extension Response {
    static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        make(status, "text/plain; charset=utf-8", ByteBuffer(string: text.hasSuffix("\n") ? text : text + "\n"))
    }

    static func html(_ html: String, status: HTTPResponse.Status = .ok) -> Response {
        make(status, "text/html; charset=utf-8", ByteBuffer(string: html))
    }

    static func json(_ bytes: some Sequence<UInt8>, status: HTTPResponse.Status = .ok) -> Response {
        make(status, "application/json", ByteBuffer(bytes: bytes))
    }

    /// `value` as JSON, keys sorted.
    static func json(encoding value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return json(try encoder.encode(value), status: status)
    }

    private static func make(_ status: HTTPResponse.Status, _ type: String, _ body: ByteBuffer) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: body))
    }
}

extension UpstreamError {
    /// What kiada answers when a request to a dependency is all that was asked of it: the dependency's own 4xx, 504
    /// when time ran out, else 502.
    var gatewayStatus: HTTPResponse.Status {
        if case .status(let code, _) = self, (400..<500).contains(code) { return HTTPResponse.Status(code: code) }
        return isTimeout ? .gatewayTimeout : .badGateway
    }

    /// The description, or rather what the dependency itself says about a mistake of the client.
    var gatewayMessage: String {
        if case .status(400..<500, let message) = self, !message.isEmpty { return message }
        return description
    }
}
