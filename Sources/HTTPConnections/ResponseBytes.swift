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
        joined(head(of: response, to: exchange, room: room(for: body)), body)
    }

    /// Head and body.
    static func whole(_ answer: DirectAnswer, to exchange: ExchangeQueue.Exchange) -> ResponseBytes {
        let head = answer.head.bytes
        var bytes = ByteBufferAllocator().buffer(capacity: head.readableBytes + 128 + room(for: answer.body))
        bytes.writeImmutableBuffer(head)
        bytes.writeStaticString("content-length: ")
        bytes.writeString(String(answer.body.readableBytes))
        bytes.writeStaticString("\r\n")
        return joined(ended(consume bytes, isLast: exchange.isLast), answer.body)
    }

    /// How much of the body is to be copied behind the head.
    private static func room(for body: ByteBuffer) -> Int { body.readableBytes <= mostCopied ? body.readableBytes : 0 }

    private static func joined(_ head: consuming DatedBytes, _ body: ByteBuffer) -> ResponseBytes {
        guard body.readableBytes <= mostCopied else { return ResponseBytes(start: head, rest: body) }
        head.append(body)
        return ResponseBytes(start: head, rest: nil)
    }

    /// Everything up to the body, with its length if that is known.
    ///
    /// - Parameter room: octets that the caller will append.
    static func head(of response: Response, to exchange: ExchangeQueue.Exchange, room: Int = 0) -> DatedBytes {
        var bytes = ByteBufferAllocator().buffer(capacity: 512 + room)
        AnswerHead.write(response.status, response.headers, to: &bytes)
        if response.headers[.contentLength] == nil, response.status.mayHaveBody {
            if let length = response.body.contentLength {
                bytes.writeString("content-length: \(length)\r\n")
            } else if exchange.takesChunks {
                bytes.writeStaticString("transfer-encoding: chunked\r\n")
            }
        }
        return ended(consume bytes, isLast: exchange.isLast)
    }

    /// A head with its last fields and the empty line.
    private static func ended(_ head: consuming ByteBuffer, isLast: Bool) -> DatedBytes {
        head.writeStaticString("date: ")
        let (dateIndex, second) = (head.writerIndex, currentSecond)
        DateText.with(second) { _ = head.writeString($0) }
        head.writeStaticString(isLast ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n")
        return DatedBytes(head, dateIndex: dateIndex, second: second)
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
