import FoundationEssentials
package import HTTPTypes
package import Hummingbird
import NIOCore

/// The kinds of answers that the services give. None may be kept by a cache: each request is to be balanced.
extension Response {
    /// A text; a newline is added unless it ends with one.
    package static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        make(status, .text, ByteBuffer(string: text.hasSuffix("\n") ? text : text + "\n"))
    }

    package static func html(_ html: String, status: HTTPResponse.Status = .ok) -> Response {
        make(status, .kind("text/html; charset=utf-8"), ByteBuffer(string: html))
    }

    /// JSON that is already serialized.
    package static func json(_ bytes: some Sequence<UInt8>, status: HTTPResponse.Status = .ok) -> Response {
        make(status, .kind("application/json"), ByteBuffer(bytes: bytes))
    }

    /// `value` as JSON, keys sorted, with a newline at the end for terminals.
    package static func json(encoding value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return json(try encoder.encode(value) + [0x0A], status: status)
    }

    private static func make(_ status: HTTPResponse.Status, _ fields: HTTPFields, _ body: ByteBuffer) -> Response {
        Response(status: status, headers: fields, body: ResponseBody(byteBuffer: body))
    }
}

extension HTTPFields {
    /// Of an answer that is a text.
    static let text = kind("text/plain; charset=utf-8")

    fileprivate static func kind(_ type: String) -> HTTPFields { [.contentType: type, .cacheControl: "no-store"] }
}

extension HTTPField.Name {
    /// The pod that answers, in every answer of the suite.
    package static let podName = Self("X-Pod-Name") ?? .server
}
