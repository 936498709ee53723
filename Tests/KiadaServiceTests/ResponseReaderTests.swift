import NIOCore
import Testing

@testable import KiadaService

@Suite("Responses of the dependencies, octet by octet (RFC 9112)")
struct ResponseReaderTests {
    /// What comes of `text`, given in pieces of `size` octets, and then of the connection's end if `ends`.
    private static func read(_ text: String, pieces size: Int, ends: Bool = false) -> ResponseReader.Action {
        var reader = ResponseReader(bodyLimit: 20)
        var rest = ByteBuffer(string: text)
        while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
            let action = reader.receive(piece)
            if action != .wait { return action }
        }
        return ends ? reader.end() : .wait
    }

    private static func finished(
        _ status: Int, _ body: String, pod: String? = nil, isReusable: Bool = true
    ) -> ResponseReader.Action {
        .finish(UpstreamResponse(status: status, podName: pod, body: Array(body.utf8)), isReusable: isReusable)
    }

    private static let good: [(String, ResponseReader.Action)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Pod-Name: quote-9\r\n\r\nhi", finished(200, "hi", pod: "quote-9")),
        ("HTTP/1.1 200\r\ncontent-length:\t2 \r\n\r\nhi", finished(200, "hi")),
        ("HTTP/1.1 404 Not Found\r\nCONTENT-LENGTH: 0\r\nA: \r\n\r\n", finished(404, "")),
        ("HTTP/1.1 204 \r\n\r\n", finished(204, "")),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", finished(304, "")),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            finished(200, "x")
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n0A;a=b\r\n0123456789\r\n0\r\n\r\n",
            finished(200, "hi0123456789")
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: x\r\nU: y\r\n\r\n", finished(200, "")),
        (
            "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 1\r\n\r\nx",
            finished(200, "x", isReusable: false)
        ),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", finished(200, "x", isReusable: false)),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", finished(200, "x")),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\nContent-Encoding: identity\r\n\r\nx",
            finished(200, "x")
        ),
    ]

    @Test("lengths, chunks, heads on the way, and what says that the connection ends", arguments: good)
    func wellFormed(text: String, expected: ResponseReader.Action) {
        for size in [1, 2, 3, 7, 1000] { #expect(Self.read(text, pieces: size) == expected, "in pieces of \(size)") }
    }

    @Test("a body without length ends with the connection; any other is then too short")
    func ends() {
        for size in [1, 5, 1000] {
            let whole = Self.read("HTTP/1.1 200 OK\r\n\r\nhello", pieces: size, ends: true)
            #expect(whole == Self.finished(200, "hello", isReusable: false))
        }
        for text in [
            "", "HTTP/1.1 200 OK\r\nA", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        ] {
            #expect(Self.read(text, pieces: 1000, ends: true) == .fail(.closedEarly), "\(text)")
        }
    }

    @Test(
        "what could be misread is refused, in whatever pieces it comes",
        arguments: [
            "nonsense\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n",
            "\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 OK\nA: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nx",
        ])
    func refused(_ text: String) {
        for size in [1, 4, 1000] {
            #expect(Self.read(text, pieces: size) == .fail(.invalidResponse), "in pieces of \(size)")
        }
    }

    @Test("too much of anything: of a body, of a head, of a chunk's line, of trailers")
    func bounds() {
        let tooLarge = ResponseReader.Action.fail(.tooLarge(limit: 20))
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let long = String(repeating: "x", count: 40_000)
        for size in [1000, 100_000] {
            #expect(Self.read("HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n", pieces: size) == tooLarge)
            #expect(Self.read("HTTP/1.1 200 OK\r\n\r\n\(long)", pieces: size) == tooLarge)
            #expect(Self.read(chunked + "A\r\n0123456789\r\nB\r\n", pieces: size) == tooLarge)
            #expect(Self.read(chunked + "7FFFFFFF\r\n", pieces: size) == tooLarge)
            for text in [
                "HTTP/1.1 200 OK\r\nA: \(long)\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \(long)", chunked + "1;\(long)",
                chunked + "0\r\n" + String(repeating: "A: b\r\n", count: 10_000),
            ] {
                #expect(Self.read(text, pieces: size) == .fail(.invalidResponse))
            }
        }
    }

    @Test("what follows the response makes the connection unusable")
    func more() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy"
        #expect(Self.read(text, pieces: 1000) == Self.finished(200, "x", isReusable: false))
    }
}

@Suite("Questions that were read before")
struct KnownQuestionsTests {
    @Test("are found by their document, and never more than the bound")
    func bound() throws {
        let known = KnownQuestions()
        let question = Question(id: try #require(QuestionID("1")), text: "?", answers: ["!"])
        for number in 0...KnownQuestions.capacity { known.add(question, read: Array("\(number)".utf8)) }
        #expect(known[Array("0".utf8)] == nil)
        #expect(known[Array("\(KnownQuestions.capacity)".utf8)] == question)
        let long = [UInt8](repeating: 0, count: KnownQuestions.longest + 1)
        known.add(question, read: long)
        #expect(known[long] == nil)
    }
}
