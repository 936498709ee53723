import HTTPTypes
import HummingbirdCore
import NIOCore
import Testing

@testable import HTTPConnections

@Suite("What a connection remembers of its last request")
struct RequestMemoryTests {
    private let request = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    private let exchange = ExchangeQueue.Exchange(request: nil, body: ByteBuffer(), isLast: false)

    private static func answer(_ text: String, version: UInt64 = 1) -> RememberedAnswer {
        RememberedAnswer(bytes: bytes(text), version: version) { _ in }
    }

    private static func bytes(_ text: String) -> DatedBytes {
        let body = ByteBuffer(string: text + "\n")
        let exchange = ExchangeQueue.Exchange(request: nil, body: ByteBuffer(), isLast: false)
        return ResponseBytes.whole(Response(status: .ok), body, to: exchange).start
    }

    /// What a recollection is, in a word; an answer by the last letter of its text.
    private static func word(_ recollection: RequestMemory.Recollection?) -> String {
        switch recollection {
        case nil: "nothing"
        case .request: "request"
        case .answer(let answer): String(buffer: answer.bytes.buffer).suffix(2).first.map { "answer \($0)" } ?? ""
        }
    }

    private func memory(of answer: RememberedAnswer?) -> RequestMemory {
        var memory = RequestMemory()
        #expect(Self.word(memory.recall(request, version: 1, isAtRest: true)) == "nothing")
        memory.answered(exchange, with: answer)
        return memory
    }

    @Test("the same octets are answered again, as often as they come")
    func again() {
        var memory = memory(of: Self.answer("a"))
        for _ in 0..<3 { #expect(Self.word(memory.recall(request, version: 1, isAtRest: true)) == "answer a") }
    }

    @Test("no octet may differ, and the content has to be the one that was answered")
    func differences() {
        var memory = memory(of: Self.answer("a"))
        #expect(Self.word(memory.recall(request, version: 2, isAtRest: true)) == "request")
        memory.answered(exchange, with: Self.answer("b", version: 2))
        #expect(Self.word(memory.recall(request, version: 2, isAtRest: true)) == "answer b")
        let other = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: b\r\n\r\n")
        #expect(Self.word(memory.recall(other, version: 2, isAtRest: true)) == "nothing")
        memory.answered(exchange, with: nil)
        #expect(Self.word(memory.recall(other, version: 2, isAtRest: true)) == "request")
    }

    @Test("without an answer that lasts the same octets need no second reading")
    func requestAlone() {
        var memory = memory(of: nil)
        for _ in 0..<3 {
            #expect(Self.word(memory.recall(request, version: nil, isAtRest: true)) == "request")
            memory.answered(exchange, with: nil)
        }
        // Asked once more before the answer: nobody knows where the next request begins.
        #expect(Self.word(memory.recall(request, version: nil, isAtRest: true)) == "request")
        #expect(Self.word(memory.recall(request, version: nil, isAtRest: false)) == "nothing")
        memory.answered(exchange, with: nil)
        #expect(Self.word(memory.recall(request, version: nil, isAtRest: true)) == "nothing")
    }

    @Test("what ends its connection is not remembered")
    func last() {
        var memory = RequestMemory()
        _ = memory.recall(request, version: 1, isAtRest: true)
        memory.answered(ExchangeQueue.Exchange(request: nil, body: ByteBuffer(), isLast: true), with: nil)
        #expect(Self.word(memory.recall(request, version: 1, isAtRest: true)) == "nothing")
    }

    @Test(
        "after anything but whole requests, one at a time, nothing is recalled",
        arguments: [
            "GET / HT", "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\nG",
            "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\n\n", "",
        ])
    func unclear(_ text: String) async {
        var memory = memory(of: Self.answer("a"))
        #expect(Self.word(memory.recall(ByteBuffer(string: text), version: 1, isAtRest: true)) == "nothing")
        memory.answered(exchange, with: nil)
        #expect(Self.word(memory.recall(request, version: 1, isAtRest: true)) == "nothing")
    }

    @Test("what comes before an answer is given, or before the client has taken it, makes the rest unclear")
    func early() {
        var ahead = memory(of: Self.answer("a"))
        let announcing = ByteBuffer(string: "POST / HTTP/1.1\r\nContent-Length: 31\r\n\r\n")
        #expect(Self.word(ahead.recall(announcing, version: 1, isAtRest: true)) == "nothing")
        #expect(Self.word(ahead.recall(request, version: 1, isAtRest: false)) == "nothing")
        ahead.answered(exchange, with: nil)
        #expect(Self.word(ahead.recall(request, version: 1, isAtRest: true)) == "nothing")

        var held = memory(of: Self.answer("a"))
        #expect(Self.word(held.recall(request, version: 1, isAtRest: false)) == "nothing")
        #expect(Self.word(held.recall(request, version: 1, isAtRest: true)) == "nothing")
    }

    @Test("of what is long only the request is kept, or nothing")
    func bound() {
        let long = String(repeating: "x", count: RequestMemory.limit)
        var memory = memory(of: Self.answer(long))
        #expect(Self.word(memory.recall(request, version: 1, isAtRest: true)) == "request")
        memory.answered(exchange, with: Self.answer(long))
        #expect(Self.word(memory.recall(request, version: 1, isAtRest: true)) == "request")
        memory.answered(exchange, with: nil)
        let big = ByteBuffer(string: "GET /\(long) HTTP/1.1\r\n\r\n")
        #expect(Self.word(memory.recall(big, version: 1, isAtRest: true)) == "nothing")
        memory.answered(exchange, with: nil)
        #expect(Self.word(memory.recall(big, version: 1, isAtRest: true)) == "nothing")
    }

    @Test("another second, another date, and nothing else changes")
    func date() {
        let bytes = Self.bytes("a")
        let later = bytes.dated(784_111_777)
        #expect(later.second == 784_111_777)
        #expect(later.count == bytes.count)
        #expect(String(buffer: later.buffer).contains("\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"))
        #expect(String(buffer: later.buffer).hasSuffix("\r\n\r\na\n"))
        #expect(later.dated(bytes.second).buffer == bytes.buffer)
    }
}
