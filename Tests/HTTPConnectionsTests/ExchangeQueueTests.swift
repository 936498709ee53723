import HTTPTypes
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPConnections

@Suite("The requests of one HTTP/1.1 connection")
struct ExchangeQueueTests {
    private static func head(_ uri: String, _ headers: HTTPHeaders = [:], _ version: HTTPVersion = .http1_1)
        -> HTTPServerRequestPart
    {
        .head(HTTPRequestHead(version: version, method: .POST, uri: uri, headers: headers))
    }

    private static func body(_ text: String) -> HTTPServerRequestPart { .body(ByteBuffer(string: text)) }

    /// What an action is, in a word.
    private static func word(_ action: ExchangeQueue.Action) -> String {
        switch action {
        case .wait: "wait"
        case .answer(let exchange):
            "\(exchange.request?.path ?? "none") '\(String(buffer: exchange.body))'\(exchange.isLast ? " last" : "")"
        case .close: "close"
        }
    }

    private var queue = ExchangeQueue(bodyLimit: 4)

    private mutating func receive(_ parts: HTTPServerRequestPart...) -> [String] {
        parts.map { Self.word(queue.receive($0)) }
    }

    @Test("one after the other, with their bodies")
    mutating func inOrder() {
        #expect(
            receive(Self.head("/a"), Self.body("1"), Self.body("2"), .end(nil)) == ["wait", "wait", "wait", "/a '12'"])
        #expect(Self.word(queue.answered()) == "wait")
        #expect(queue.wantsInput)
        #expect(receive(Self.head("/b"), .end(nil)) == ["wait", "/b ''"])
    }

    @Test("a whole request is answered at once, but only between others")
    mutating func whole() {
        let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/a")
        let exchange = ExchangeQueue.Exchange(request: request, body: ByteBuffer(), isLast: false)
        #expect(Self.word(queue.receive(exchange)) == "/a ''")
        #expect(Self.word(queue.receive(exchange)) == "wait")
        #expect(Self.word(queue.answered()) == "wait")
        #expect(Self.word(queue.receive(exchange)) == "/a ''")
    }

    @Test("what comes ahead waits, and holds back more")
    mutating func pipelining() {
        _ = receive(Self.head("/a"), .end(nil))
        #expect(queue.wantsInput)
        #expect(
            receive(Self.head("/b"), Self.body("1"), .end(nil), Self.head("/c")) == ["wait", "wait", "wait", "wait"])
        #expect(!queue.wantsInput)
        #expect(Self.word(queue.answered()) == "/b '1'")
        #expect(!queue.wantsInput)
        #expect(Self.word(queue.answered()) == "wait")
        #expect(queue.wantsInput)
        #expect(receive(.end(nil)) == ["/c ''"])
    }

    @Test("a body that is too long is handed out at once, and its rest is thrown away, whenever that comes")
    mutating func tooLong() {
        #expect(receive(Self.head("/a"), Self.body("123"), Self.body("45")) == ["wait", "wait", "/a '12345'"])
        #expect(queue.wantsInput)
        #expect(receive(Self.body("6")) == ["wait"])
        #expect(Self.word(queue.answered()) == "wait")
        #expect(receive(Self.body("7"), .end(nil), Self.head("/b"), .end(nil)) == ["wait", "wait", "wait", "/b ''"])

        var other = ExchangeQueue(bodyLimit: 0)
        _ = [Self.head("/a"), Self.body("1"), .end(nil), Self.head("/b")].map { other.receive($0) }
        #expect(!other.wantsInput)
        #expect(Self.word(other.answered()) == "wait")
        #expect(Self.word(other.receive(.end(nil))) == "/b ''")
    }

    @Test(
        "the answer is the last one where the client says so",
        arguments: [
            ("close", HTTPVersion.http1_1, true), ("", .http1_0, true), ("keep-alive", .http1_0, false),
            ("", .http1_1, false),
        ])
    mutating func last(_ connection: String, _ version: HTTPVersion, _ isLast: Bool) {
        let headers: HTTPHeaders = connection.isEmpty ? [:] : ["connection": connection]
        #expect(receive(Self.head("/a", headers, version), .end(nil)) == ["wait", isLast ? "/a '' last" : "/a ''"])
        #expect(Self.word(queue.answered()) == (isLast ? "close" : "wait"))
        #expect(receive(Self.head("/b"), .end(nil)) == ["wait", isLast ? "wait" : "/b ''"])
    }

    @Test("after the end of the input what was asked for is still answered, half a request is not")
    mutating func endOfInput() {
        _ = receive(Self.head("/a"), .end(nil), Self.head("/b"), .end(nil), Self.head("/c"))
        #expect(Self.word(queue.endInput()) == "wait")
        #expect(Self.word(queue.answered()) == "/b ''")
        #expect(Self.word(queue.answered()) == "close")

        var idle = ExchangeQueue(bodyLimit: 4)
        #expect(Self.word(idle.endInput()) == "close")
    }

    @Test("a stop lets the request that has begun be the last one")
    mutating func stop() {
        _ = receive(Self.head("/a"))
        #expect(Self.word(queue.stop()) == "wait")
        #expect(receive(.end(nil)) == ["/a ''"])
        #expect(Self.word(queue.answered()) == "close")

        var idle = ExchangeQueue(bodyLimit: 4)
        #expect(Self.word(idle.stop()) == "close")
        #expect(Self.word(idle.receive(Self.head("/b"))) == "wait")
    }
}
