import HTTPConnections
import HTTPTypes
import Hummingbird
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import ServiceKit

@Suite("Answers of direct routes")
struct DirectAnswersTests {
    private let metrics = ServiceMetrics(program: "test")
    private let channel = EmbeddedChannel()

    private func begin(
        _ request: HTTPRequest, text: String, log: AccessLog = AccessLog(.off)
    ) -> DirectAnswer? {
        let route = DirectRoute("/text", [.xContentTypeOptions: "nosniff"]) { _, _, _, finish in
            finish(ByteBuffer(string: text))
            return true
        }
        let responder = ServiceResponder(
            ServiceRouter(context: ServiceRequestContext.self), podName: "pod-1", metrics: metrics, accessLog: log,
            direct: [route])
        var answer: DirectAnswer?
        let isBegun = responder.begin(request, on: channel) { answer = $0 }
        #expect(isBegun == (answer != nil))
        return answer
    }

    private func get(_ path: String, _ fields: HTTPFields = [:]) -> HTTPRequest {
        HTTPRequest(method: .get, scheme: "http", authority: "a", path: path, headerFields: fields)
    }

    @Test("a GET of the very path is answered with the fields of all answers, counted and logged")
    func one() throws {
        let lines = Mutex<[String]>([])
        let log = AccessLog(.json) { line in lines.withLock { $0.append(line) } }
        let answer = try #require(begin(get("/text"), text: "hello\n", log: log))
        #expect(String(buffer: answer.body) == "hello\n")
        #expect(
            answer.head.text == "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
                + "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Pod-Name: pod-1\r\n")
        #expect(metrics.text().contains(#"http_requests_total{method="GET",route="/text",status="200"} 1"#))
        #expect(lines.withLock { $0.count } == 1)
        #expect(lines.withLock { $0.first?.contains(#""bytes":6"#) } == true)
    }

    @Test("everything else is the router's")
    func others() {
        var head = get("/text")
        head.method = .head
        for request in [get("/"), get("/text?x"), head] { #expect(begin(request, text: "hello\n") == nil) }
    }

    @Test("a long text is compressed for those who accept it")
    func compression() throws {
        let text = String(repeating: "All work and no play. ", count: 100)
        let plain = try #require(begin(get("/text"), text: text))
        #expect(plain.body.readableBytes == 2200 && plain.head.text.contains("Vary: Accept-Encoding\r\n"))
        let small = try #require(begin(get("/text", [.acceptEncoding: "gzip"]), text: text))
        #expect(small.body.readableBytes < 400 && small.head.text.contains("Content-Encoding: gzip\r\n"))
    }
}
