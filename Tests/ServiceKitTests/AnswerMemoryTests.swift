import Hummingbird
import NIOCore
import Testing

@testable import ServiceKit

@Suite("What a connection remembers of its last request")
struct AnswerMemoryTests {
    private let request = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    private static func answer(_ text: String, version: UInt64 = 1) async -> RememberedAnswer {
        RememberedAnswer(bytes: await ResponseBytes.of(.text(text), isLast: false), version: version) { _ in }
    }

    private func memory(of answer: RememberedAnswer?) -> AnswerMemory {
        var memory = AnswerMemory()
        let first = memory.recall(request, version: 1, isAtRest: true)
        #expect(first == nil)
        memory.answered(with: answer)
        return memory
    }

    @Test("the same octets are answered again, as often as they come")
    func again() async {
        var memory = memory(of: await Self.answer("a"))
        for _ in 0..<3 {
            let bytes = memory.recall(request, version: 1, isAtRest: true)?.bytes.buffer
            #expect(bytes.map { String(buffer: $0).hasSuffix("\r\n\r\na\n") } == true)
        }
    }

    @Test("no octet may differ, and the content has to be the one that was answered")
    func differences() async {
        var memory = memory(of: await Self.answer("a"))
        let other = memory.recall(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: b\r\n\r\n"), version: 1, isAtRest: true)
        #expect(other == nil)
        memory.answered(with: nil)
        // An answer that does not last leaves the one before in memory.
        #expect(memory.recall(request, version: 1, isAtRest: true) != nil)
        #expect(memory.recall(request, version: 2, isAtRest: true) == nil)
        memory.answered(with: await Self.answer("b", version: 2))
        #expect(memory.recall(request, version: 2, isAtRest: true)?.version == 2)
    }

    @Test(
        "after anything but whole requests, one at a time, nothing is recalled",
        arguments: [
            "GET / HT", "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\nG",
            "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\n\n", "",
        ])
    func unclear(_ text: String) async {
        var memory = memory(of: await Self.answer("a"))
        #expect(memory.recall(ByteBuffer(string: text), version: 1, isAtRest: true) == nil)
        memory.answered(with: nil)
        #expect(memory.recall(request, version: 1, isAtRest: true) == nil)
    }

    @Test("what comes before an answer is given, or before the client has taken it, makes the rest unclear")
    func early() async {
        var ahead = memory(of: await Self.answer("a"))
        #expect(
            ahead.recall(
                ByteBuffer(string: "POST / HTTP/1.1\r\nContent-Length: 31\r\n\r\n"), version: 1, isAtRest: true) == nil)
        #expect(ahead.recall(request, version: 1, isAtRest: false) == nil)
        ahead.answered(with: nil)
        #expect(ahead.recall(request, version: 1, isAtRest: true) == nil)

        var held = memory(of: await Self.answer("a"))
        #expect(held.recall(request, version: 1, isAtRest: false) == nil)
        #expect(held.recall(request, version: 1, isAtRest: true) == nil)
    }

    @Test("long answers are not kept")
    func bound() async {
        var memory = memory(of: await Self.answer(String(repeating: "x", count: AnswerMemory.limit)))
        #expect(memory.recall(request, version: 1, isAtRest: true) == nil)
    }

    @Test("another second, another date, and nothing else changes")
    func date() async {
        let bytes = await ResponseBytes.of(.text("a"), isLast: false)
        let later = bytes.dated(784_111_777)
        #expect(later.second == 784_111_777)
        #expect(later.count == bytes.count)
        #expect(String(buffer: later.buffer).contains("\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"))
        #expect(String(buffer: later.buffer).hasSuffix("\r\n\r\na\n"))
        #expect(later.dated(bytes.second).buffer == bytes.buffer)
    }
}
