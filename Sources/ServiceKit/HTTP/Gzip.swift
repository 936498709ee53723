import CZlib
import HTTPConnections
import HTTPTypes
import Hummingbird
package import NIOCore

/// Compresses texts for clients that want it (RFC 9110 section 8.4.1.3, RFC 1952).
package enum Gzip {
    /// Smaller bodies are sent as they are: bytes.
    package static let threshold = 1024

    /// The answer, compressed if that is allowed and worth it.
    static func compressed(_ response: Response, for request: Request) async throws -> Response {
        guard let length = response.body.contentLength, isWorthIt(length, response.headers) else { return response }
        var response = response
        vary(&response.headers)
        guard request.method != .head, isAccepted(by: request.headers[.acceptEncoding] ?? "") else { return response }
        let body = try await response.body.collected() ?? ByteBuffer()
        let sent = compress(body, &response.headers)
        response.body = ResponseBody(byteBuffer: sent)
        return response
    }

    /// The body of an answer to a GET, compressed if that is allowed and worth it; the fields then say so.
    static func compressed(
        _ body: ByteBuffer, _ fields: inout HTTPFields, for request: HTTPRequest
    ) -> ByteBuffer {
        guard isWorthIt(body.readableBytes, fields) else { return body }
        vary(&fields)
        guard isAccepted(by: request.headerFields[.acceptEncoding] ?? "") else { return body }
        return compress(body, &fields)
    }

    private static func isWorthIt(_ length: Int, _ fields: HTTPFields) -> Bool {
        length > threshold && isText(fields[.contentType] ?? "") && fields[.contentEncoding] == nil
    }

    private static func vary(_ fields: inout HTTPFields) {
        fields[.vary] = fields[.vary].map { "\($0), Accept-Encoding" } ?? "Accept-Encoding"
    }

    /// The body compressed, and the fields changed, if that makes it smaller.
    private static func compress(_ body: ByteBuffer, _ fields: inout HTTPFields) -> ByteBuffer {
        guard let small = compress(body), small.readableBytes < body.readableBytes else { return body }
        fields[.contentEncoding] = "gzip"
        fields[.contentLength] = nil
        // The same resource in another coding is another representation.
        if let tag = fields[.eTag], !tag.hasPrefix("W/") { fields[.eTag] = "W/\(tag)" }
        return small
    }

    private static func isText(_ type: String) -> Bool {
        let type = type.prefix { $0 != ";" }
        return type.hasPrefix("text/") || type == "application/json" || type == "image/svg+xml"
    }

    /// Whether the header `Accept-Encoding` allows gzip: named, or `*`, without `q=0`.
    package static func isAccepted(by header: String) -> Bool {
        for part in header.split(separator: ",") {
            let pieces = part.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            guard let coding = pieces.first, coding == "gzip" || coding == "x-gzip" || coding == "*" else { continue }
            guard let weight = pieces.dropFirst().first(where: { $0.hasPrefix("q=") }) else { return true }
            return (Double(weight.dropFirst(2)) ?? 0) > 0
        }
        return false
    }

    /// The bytes as one gzip member; nil when zlib has no memory.
    package static func compress(_ buffer: ByteBuffer) -> ByteBuffer? {
        var stream = z_stream()
        // 15 bits of window and 16 for the gzip header.
        let size = Int32(MemoryLayout<z_stream>.size)
        guard deflateInit2_(&stream, 5, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK else {
            return nil
        }
        defer { deflateEnd(&stream) }
        var input = [UInt8](buffer.readableBytesView)
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(input.count))))
        let written = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target -> Int? in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                return deflate(&stream, Z_FINISH) == Z_STREAM_END ? Int(stream.total_out) : nil
            }
        }
        return written.map { ByteBuffer(bytes: output[..<$0]) }
    }
}
