import FoundationEssentials
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import HTTPConnections

@Suite("HTTP/1.1 connections, over real sockets")
struct HTTPConnectionTests {
    private static func bodies(_ answers: String) -> [String] {
        answers.components(separatedBy: "HTTP/1.1 ").dropFirst().map { answer in
            let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            return "\(answer.prefix(3)) \(parts.last ?? "")"
        }
    }

    @Test("an answer has its length and the date")
    func one() async throws {
        try await TestServer.with { server in
            let answer = try await server.answers(to: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let lines = Set(answer.lowercased().components(separatedBy: "\r\n"))
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.hasSuffix("\r\n\r\nhello\n"))
            #expect(lines.isSuperset(of: ["content-length: 6", "connection: close"]))
            #expect(lines.contains { $0.hasPrefix("date: ") && $0.hasSuffix(" gmt") })
        }
    }

    @Test("requests that come at once are answered in order, those that wait too")
    func pipelining() async throws {
        try await TestServer.with { server in
            let some = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n"
            let last = "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            let answers = try await server.answers(to: some + some + last)
            let expected = ["200 hello\n", "200 later\n", "200 hello\n", "200 later\n", "404 /nowhere not found\n"]
            #expect(Self.bodies(answers) == expected)
        }
    }

    @Test("answers that need no task come in order among those that do, however many are asked for at once")
    func direct() async throws {
        let some = ["direct", "direct/later", "later", "direct", "", "direct/later"]
        let requests = some.map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        let last = "GET /direct HTTP/1.0\r\n\r\n"
        try await TestServer.with { server in
            let answers = try await server.answers(to: String(repeating: requests, count: 1000) + last)
            let expected = ["direct", "direct", "later", "direct", "hello", "direct"].map { "200 \($0)\n" }
            #expect(Self.bodies(answers) == Array(repeatElement(expected, count: 1000).joined()) + ["200 direct\n"])
            let repeated = try await server.answers(
                to: "GET /direct HTTP/1.1\r\n\r\n",
                then: ["GET /direct HTTP/1.1\r\n\r\n", "HEAD /direct HTTP/1.1\r\nConnection: close\r\n\r\n"])
            #expect(Self.bodies(repeated) == ["200 direct\n", "200 direct\n", "404 "])
            #expect(repeated.hasPrefix("HTTP/1.1 200 OK\r\nCache-Control: no-store\r\ncontent-length: 7\r\ndate: "))
        }
    }

    @Test("an answer that does not fit into the kernel's buffers arrives as a whole, also the last one")
    func large() async throws {
        try await TestServer.with { server in
            let request = "GET /large HTTP/1.1\r\nHost: a\r\n"
            let answers = try await server.answers(to: request + "\r\n" + request + "Connection: close\r\n\r\n")
            #expect(Self.bodies(answers).map(\.count) == [5_000_005, 5_000_005])
        }
    }

    @Test("bodies, by length and in chunks; one that is too long is refused and the next request is answered")
    func requestBodies() async throws {
        let long = String(repeating: "x", count: 300_000)
        try await TestServer.with { server in
            let answers = try await server.answers(
                to: "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                    + "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"
                    + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(long.count)\r\n\r\n\(long)"
                    + "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(Self.bodies(answers) == ["200 abc\n", "200 def\n", "413 too long\n", "200 "])
            #expect(answers.contains("ontent-length: 6\r\n") || answers.contains("ontent-Length: 6\r\n"))
        }
    }

    @Test(
        "what is no HTTP is refused, and the connection ends",
        arguments: [
            "nonsense\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nbad header\r\n\r\n",
            "GET / HTTP/1.1\r\na: \(String(repeating: "x", count: 20_000))\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ])
    func nonsense(_ text: String) async throws {
        try await TestServer.with { server in
            let answer = try await server.answers(to: text)
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        }
    }

    @Test("what was asked for before nonsense is answered")
    func nonsenseBehind() async throws {
        try await TestServer.with { server in
            let answers = try await server.answers(to: "GET /later HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n")
            #expect(Self.bodies(answers).first == "200 later\n")
        }
    }

    @Test("HTTP/1.0, and a client that sends no more: answered, then closed")
    func endings() async throws {
        try await TestServer.with { server in
            #expect(Self.bodies(try await server.answers(to: "GET / HTTP/1.0\r\n\r\n")) == ["200 hello\n"])
            let answers = try await server.answers(to: "GET /later HTTP/1.1\r\nHost: a\r\n\r\n", endsInput: true)
            #expect(Self.bodies(answers) == ["200 later\n"])
            #expect(try await server.answers(to: "", endsInput: true) == "")
        }
    }

    @Test("a client that sends nothing, or half a request, is left after the idle time", arguments: ["", "GET / HT"])
    func idle(_ text: String) async throws {
        try await TestServer.with(idle: .milliseconds(20)) { server in
            let answer = try await server.answers(to: text)
            #expect(answer.isEmpty)
        }
    }

    @Test("a request that is repeated gets the same answer while it lasts, and is counted")
    func repetition() async throws {
        let number = "GET /number HTTP/1.1\r\nHost: a\r\n\r\n"
        let change = "GET /change HTTP/1.1\r\nHost: a\r\n\r\n"
        let last = "GET /number HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        try await TestServer.with { server in
            let answers = try await server.answers(
                to: number, then: [number, number, change, number, number, change, change, last])
            let expected = [
                "200 number 1\n", "200 number 1\n", "200 number 1\n", "200 changed\n", "200 number 2\n",
                "200 number 2\n", "200 changed\n", "200 changed\n", "200 number 3\n",
            ]
            #expect(Self.bodies(answers) == expected)
            #expect(server.responder.asked.load(ordering: .relaxed) == 3)
            #expect(server.responder.repeated.load(ordering: .relaxed) == 3)
        }
    }

    @Test("repeated requests that come in pieces, at once, or with a body are read as ever")
    func nearRepetition() async throws {
        let number = "GET /number HTTP/1.1\r\nHost: a\r\n\r\n"
        let last = "GET /number HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        try await TestServer.with { server in
            let twice = try await server.answers(to: number, then: [number, number + number, last])
            #expect(Self.bodies(twice).map { String($0.dropFirst(4)) } == [1, 1, 2, 3, 4].map { "number \($0)\n" })
            let body = "GET /number HTTP/1.1\r\nContent-Length: \(number.utf8.count)\r\n\r\n"
            let hidden = try await server.answers(to: number, then: [body + number, last])
            #expect(Self.bodies(hidden).map { String($0.dropFirst(4)) } == [5, 6, 7].map { "number \($0)\n" })
        }
    }

    @Test("a stop lets the answer under way end, and closes connections that wait")
    func stop() async throws {
        try await TestServer.with { server in
            async let waiting = server.answers(to: "GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
            let stopped = try await server.answers(to: "GET /stop HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(Self.bodies(stopped) == ["200 stopped\n"])
            _ = try await waiting
        }
    }

    @Test("a body of unknown length comes in chunks, and the connection goes on")
    func chunks() async throws {
        try await TestServer.with { server in
            let answers = try await server.answers(
                to: "GET /pieces HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let chunks = "1\r\na\r\n19\r\nbcdefghijklmnopqrstuvwxyz\r\n1\r\n0\r\n0\r\n\r\n"
            #expect(Self.bodies(answers) == ["200 \(chunks)", "200 hello\n"])
            #expect(answers.contains("transfer-encoding: chunked\r\n"))
        }
    }

    @Test("a client of HTTP/1.0 gets it plain, up to the connection's end, also if it wanted to keep that")
    func plainStream() async throws {
        try await TestServer.with { server in
            for fields in ["", "Connection: keep-alive\r\n"] {
                let answer = try await server.answers(to: "GET /pieces HTTP/1.0\r\n\(fields)\r\n")
                #expect(Self.bodies(answer) == ["200 abcdefghijklmnopqrstuvwxyz0"])
                #expect(!answer.contains("chunked"))
            }
        }
    }

    @Test(
        "HEAD gets the fields and no body, whether the length is known or not", arguments: ["/", "/pieces", "/large"])
    func heads(_ path: String) async throws {
        try await TestServer.with { server in
            let answers = try await server.answers(
                to: "HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(Self.bodies(answers) == ["200 ", "200 hello\n"])
        }
    }

    @Test("a body that fails on the way has no end: the client sees that something is missing")
    func brokenStream() async throws {
        try await TestServer.with { server in
            let answer = try await server.answers(to: "GET /broken HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(!answer.hasSuffix("0\r\n\r\n"))
        }
    }

    @Test("what is no request is refused, and the connection goes on")
    func noRequest() async throws {
        try await TestServer.with { server in
            let answers = try await server.answers(
                to: "GET /none HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(Self.bodies(answers) == ["400 ", "200 hello\n"])
        }
    }

    @Test("a client that does not read holds back an endless body, and is left after the idle time")
    func slowReader() async throws {
        try await TestServer.with(idle: .milliseconds(100)) { server in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.autoRead, value: false).connect(host: "127.0.0.1", port: server.port).get()
            try await channel.writeAndFlush(ByteBuffer(string: "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"))
            for await _ in server.responder.ends { break }
            // What the kernel takes on loopback is some megabytes; without bounds it would be all memory.
            #expect(server.responder.pieces.load(ordering: .relaxed) < 10_000)
            try? await channel.close()
        }
    }

    @Test("a client that leaves ends an endless body")
    func leaving() async throws {
        try await TestServer.with { server in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: server.port).get()
            try await channel.writeAndFlush(ByteBuffer(string: "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"))
            try await channel.close()
            for await _ in server.responder.ends { break }
        }
    }

    @Test("a connection that speaks another protocol has no idle time and no more requests")
    func switched() async throws {
        try await TestServer.with(idle: .milliseconds(20)) { server in
            let answer = try await server.answers(
                to: "GET /switch HTTP/1.1\r\nHost: a\r\n\r\n", then: ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
            #expect(answer == "switched\nover\n")
        }
    }
}
