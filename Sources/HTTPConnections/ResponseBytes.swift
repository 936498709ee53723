import FoundationEssentials
import Glibc
import HTTPTypes
import HummingbirdCore
import NIOCore
import Synchronization

/// The begin of an answer as it goes over a connection, whose date can be set anew.
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
        DateText.with(second) { _ = dated.buffer.setString($0, at: dateIndex) }
        return dated
    }

    fileprivate mutating func append(_ bytes: ByteBuffer) { buffer.writeImmutableBuffer(bytes) }
}

/// An answer as it goes over an HTTP/1.1 connection (RFC 9112 section 6.3): whole, with its length.
struct ResponseBytes {
    /// The answer to what is no HTTP.
    static let badRequest = ByteBuffer(
        string: "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    /// Octets of a body that are copied behind the head, so that one packet takes both.
    private static let mostCopied = 16 * 1024

    /// Head and body, or only the head.
    let start: DatedBytes
    /// A body that is too long to be copied.
    let rest: ByteBuffer?

    /// nil for a body whose length is not known: it is to be sent as it comes.
    static func of(_ response: Response, to exchange: ExchangeQueue.Exchange) async -> ResponseBytes? {
        guard exchange.request?.method != .head else {
            return ResponseBytes(start: head(of: response, to: exchange), rest: nil)
        }
        guard response.body.contentLength != nil else { return nil }
        let body: ByteBuffer?
        var response = response
        do {
            body = try await response.body.collected()
        } catch {
            response = Response(status: .internalServerError)
            body = nil
        }
        return whole(response, body ?? ByteBuffer(), to: exchange)
    }

    /// Head and body.
    static func whole(_ response: Response, _ body: ByteBuffer, to exchange: ExchangeQueue.Exchange) -> ResponseBytes {
        let isShort = body.readableBytes <= mostCopied
        var start = head(of: response, to: exchange, room: isShort ? body.readableBytes : 0)
        guard isShort else { return ResponseBytes(start: start, rest: body) }
        start.append(body)
        return ResponseBytes(start: start, rest: nil)
    }

    /// Everything up to the body, with its length if that is known.
    ///
    /// - Parameter room: octets that the caller will append.
    static func head(of response: Response, to exchange: ExchangeQueue.Exchange, room: Int = 0) -> DatedBytes {
        var bytes = ByteBufferAllocator().buffer(capacity: 512 + room)
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
            if let length = response.body.contentLength {
                bytes.writeString("content-length: \(length)\r\n")
            } else if exchange.takesChunks {
                bytes.writeStaticString("transfer-encoding: chunked\r\n")
            }
        }
        bytes.writeStaticString("date: ")
        let (dateIndex, second) = (bytes.writerIndex, currentSecond)
        DateText.with(second) { _ = bytes.writeString($0) }
        bytes.writeStaticString(exchange.isLast ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n")
        return DatedBytes(bytes, dateIndex: dateIndex, second: second)
    }

    /// Since 1970.
    static var currentSecond: Int { time(nil) }
}

/// The same text for a whole second.
private struct DateText {
    private static let current = Mutex(DateText(second: -1, text: ""))
    private let second: Int
    private let text: String

    static func with(_ second: Int, _ use: (String) -> Void) {
        current.withLock { current in
            if current.second != second {
                current = DateText(
                    second: second, text: HTTPDate.text(Date(timeIntervalSince1970: Double(second))))
            }
            use(current.text)
        }
    }
}

extension HTTPResponse.Status {
    fileprivate var mayHaveBody: Bool { kind != .informational && code != 204 && code != 304 }
}
