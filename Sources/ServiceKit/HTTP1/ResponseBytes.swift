import FoundationEssentials
import Glibc
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Answers as they go over an HTTP/1.1 connection (RFC 9112 section 6.3): whole, with their length.
enum ResponseBytes {
    /// The answer to what is no HTTP.
    static let badRequest = ByteBuffer(
        string: "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")

    private struct DateText {
        var second = -1
        var text = ""
    }

    private static let date = Mutex(DateText())

    /// Head and body in one buffer.
    ///
    /// - Parameter isLast: tells the client that the connection ends after it.
    static func of(_ response: Response, isLast: Bool) async -> ByteBuffer {
        var response = response
        let body: ByteBuffer?
        do {
            body = try await response.body.collected()
        } catch {
            response = Response(status: .internalServerError)
            body = nil
        }
        var bytes = ByteBufferAllocator().buffer(capacity: 512 + (body?.readableBytes ?? 0))
        bytes.writeStaticString("HTTP/1.1 ")
        bytes.writeString("\(response.status.code)")
        bytes.writeStaticString(" ")
        bytes.writeString(response.status.reasonPhrase)
        bytes.writeStaticString("\r\n")
        for field in response.headers {
            bytes.writeString(field.name.rawName)
            bytes.writeStaticString(": ")
            bytes.writeString(field.value)
            bytes.writeStaticString("\r\n")
        }
        if response.headers[.contentLength] == nil, response.status.mayHaveBody {
            bytes.writeString("content-length: \(body?.readableBytes ?? 0)\r\n")
        }
        bytes.writeStaticString("date: ")
        writeDate(&bytes)
        bytes.writeStaticString(isLast ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n")
        if var body { bytes.writeBuffer(&body) }
        return bytes
    }

    /// The same text for a whole second.
    private static func writeDate(_ bytes: inout ByteBuffer) {
        let second = time(nil)
        date.withLock { date in
            if date.second != second {
                date = DateText(second: second, text: HTTPDate.text(Date(timeIntervalSince1970: Double(second))))
            }
            _ = bytes.writeString(date.text)
        }
    }
}

extension HTTPResponse.Status {
    fileprivate var mayHaveBody: Bool { kind != .informational && code != 204 && code != 304 }
}
