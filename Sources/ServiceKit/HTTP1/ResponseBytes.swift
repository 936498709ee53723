import FoundationEssentials
import Glibc
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// An answer as it goes over a connection, whose date can be set anew.
struct DatedBytes {
    private(set) var buffer: ByteBuffer
    /// Where the value of the Date field begins.
    private let dateIndex: Int
    /// Since 1970.
    private(set) var second: Int

    fileprivate init(_ buffer: ByteBuffer, dateIndex: Int, second: Int) {
        self.buffer = buffer
        self.dateIndex = dateIndex
        self.second = second
    }

    var count: Int { buffer.readableBytes }

    /// The same with the date of `second`: all dates are 29 octets long (RFC 9110 section 5.6.7).
    func dated(_ second: Int) -> DatedBytes {
        var dated = self
        dated.second = second
        ResponseBytes.withDateText(of: second) { _ = dated.buffer.setString($0, at: dateIndex) }
        return dated
    }
}

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
    static func of(_ response: Response, isLast: Bool) async -> DatedBytes {
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
        let (dateIndex, second) = (bytes.writerIndex, currentSecond)
        withDateText(of: second) { _ = bytes.writeString($0) }
        bytes.writeStaticString(isLast ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n")
        if var body { bytes.writeBuffer(&body) }
        return DatedBytes(bytes, dateIndex: dateIndex, second: second)
    }

    /// Since 1970.
    static var currentSecond: Int { time(nil) }

    /// The same text for a whole second.
    fileprivate static func withDateText(of second: Int, _ use: (String) -> Void) {
        date.withLock { date in
            if date.second != second {
                date = DateText(second: second, text: HTTPDate.text(Date(timeIntervalSince1970: Double(second))))
            }
            use(date.text)
        }
    }
}

extension HTTPResponse.Status {
    fileprivate var mayHaveBody: Bool { kind != .informational && code != 204 && code != 304 }
}
