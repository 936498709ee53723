import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NetTypes
import ServiceDiscovery
import ServiceKit
import Synchronization
import Testing

@testable import KiadaService

/// A dependency that answers from a script, and remembers what it was asked.
private final class ScriptedUpstream: UpstreamClient {
    typealias Answer = @Sendable (UpstreamRequest) throws(UpstreamError) -> UpstreamResponse

    private let answer: Answer
    private let requests = Mutex<[UpstreamRequest]>([])

    init(_ answer: @escaping Answer) { self.answer = answer }

    var seen: [UpstreamRequest] { requests.withLock { $0 } }

    func response(
        to request: UpstreamRequest, at location: DiscoveredService, limit: Duration
    ) async throws(UpstreamError) -> UpstreamResponse {
        requests.withLock { $0.append(request) }
        return try answer(request)
    }
}

@Suite("Paths of kiada")
struct KiadaRoutesTests {
    private let identity = PodIdentity(
        podName: "kiada-001", nodeName: "n", podIP: "10.0.0.1", nodeIP: "10.0.0.2", hostname: "kiada-001")
    private static let question = #"{"id":1,"text":"Which?","answers":["a","b"],"correctAnswerIndex":1}"#

    /// quote and quiz as they should be.
    private static let healthy: ScriptedUpstream.Answer = { request throws(UpstreamError) in
        switch request.path {
        case "/quote": UpstreamResponse(status: 200, podName: "quote-1", body: Array("Be kind.\n".utf8))
        case "/questions/random", "/questions/1":
            UpstreamResponse(status: 200, podName: "quiz", body: Array(question.utf8))
        case "/questions/1/answers":
            UpstreamResponse(
                status: 200, podName: "quiz",
                body: Array(
                    #"{"timestamp":"t","questionId":1,"answerIndex":0,"correctAnswerIndex":1,"correct":false}"#.utf8))
        default: UpstreamResponse(status: 404, body: Array("ERROR: Question 9 not found".utf8))
        }
    }

    private func application(_ upstream: ScriptedUpstream) throws -> some ApplicationProtocol {
        func dependency(_ name: String) -> Dependency {
            Dependency(
                name: name,
                locator: ServiceDiscovery(
                    name: name, explicitURL: nil,
                    environment: [
                        "\(name.uppercased())_SERVICE_HOST": "10.96.0.7", "\(name.uppercased())_SERVICE_PORT": "80",
                    ]), client: upstream)
        }
        let routes = try KiadaRoutes(
            quote: dependency("quote"), quiz: dependency("quiz"), identity: identity, status: StatusMessage("hello"))
        let router = ServiceRouter(context: ServiceRequestContext.self)
        routes.add(to: router)
        return Application(
            responder: ServiceResponder(router, podName: "kiada-001", metrics: ServiceMetrics(program: "kiada")))
    }

    @Test("S59, S61 text for terminals, a redirect for browsers")
    func root() async throws {
        try await application(ScriptedUpstream(Self.healthy)).test(.router) { client in
            try await client.execute(uri: "/", method: .get, headers: [.accept: "*/*"]) { response in
                #expect(response.status == .ok)
                #expect(response.headers[.contentType] == "text/plain; charset=utf-8")
                #expect(String(buffer: response.body).contains("TIP OF THE MINUTE\nBe kind.\n\n"))
                #expect(String(buffer: response.body).contains("0) a\n1) b\n"))
                #expect(response.headers[.podName] == "kiada-001")
            }
            try await client.execute(uri: "/", method: .get, headers: [.accept: "text/html,*/*"]) { response in
                #expect(response.status == .found && response.headers[.location] == "/html")
            }
            try await client.execute(uri: "/", method: .get, headers: [.accept: "*/*, text/html"]) {
                #expect($0.status == .ok)
            }
        }
    }

    @Test(
        "S62: a client's IPv4 address is shown as a socket for both families has it",
        arguments: [
            ("::ffff:10.96.192.2", "::ffff:10.96.192.2"), ("10.0.0.1", "::ffff:10.0.0.1"), ("fd00::1", "fd00::1"),
        ])
    func clientAddress(seen: String, shown: String) {
        #expect(KiadaRoutes.clientIP(seen) == shown)
    }

    @Test("the page carries a strict policy and nothing inline")
    func policy() async throws {
        try await application(ScriptedUpstream(Self.healthy)).test(.router) { client in
            try await client.execute(uri: "/html", method: .get) { response in
                #expect(response.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'self'") == true)
                #expect(response.headers[.xContentTypeOptions] == "nosniff")
            }
            let asset = try await client.execute(uri: Asset.stylesheet.url, method: .get)
            #expect(asset.headers[.cacheControl]?.contains("immutable") == true)
            let tag = try #require(asset.headers[.eTag])
            try await client.execute(uri: "/stylesheet.css", method: .get, headers: [.ifNoneMatch: tag]) {
                #expect($0.status == .notModified)
            }
        }
    }

    @Test("POST /question/{id}/answers/{index} says whether it was right")
    func answering() async throws {
        let upstream = ScriptedUpstream(Self.healthy)
        try await application(upstream).test(.router) { client in
            try await client.execute(uri: "/question/1/answers/0", method: .post) { response in
                #expect(response.status == .ok)
                #expect(
                    String(buffer: response.body)
                        == "Wrong. You chose 0) a - the right answer to question 1 is 1) b\n")
            }
            try await client.execute(
                uri: "/question/1/answers/0", method: .post, headers: [.accept: "text/html"]
            ) { #expect(String(buffer: $0.body).contains("Wrong. The right answer is: b")) }
            try await client.execute(uri: "/question/9/answers/0", method: .post) { response in
                #expect(response.status == .notFound)
                #expect(String(buffer: response.body) == "ERROR: Question 9 not found\n")
            }
            try await client.execute(uri: "/question/1/answers/x", method: .post) { #expect($0.status == .badRequest) }
            try await client.execute(uri: "/question/1/answers/0", method: .get) { response in
                #expect(response.status == .methodNotAllowed && response.headers[.allow] == "POST")
            }
        }
        let sent = try #require(upstream.seen.first { $0.json != nil })
        #expect(String(decoding: sent.json ?? [], as: UTF8.self).contains(#""questionId":1"#))
    }

    @Test("/proxy/* relays JSON, tells the pod, and nothing else is proxied")
    func proxying() async throws {
        try await application(ScriptedUpstream(Self.healthy)).test(.router) { client in
            try await client.execute(uri: "/proxy/quote", method: .get) { response in
                #expect(String(buffer: response.body) == #""Be kind.""#)
                #expect(response.headers[.upstreamPodName] == "quote-1")
            }
            try await client.execute(uri: "/proxy/quiz/questions/random", method: .get) {
                #expect(String(buffer: $0.body) == Self.question)
            }
            try await client.execute(
                uri: "/proxy/quiz/questions/1/answers", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: #"{"questionId":1,"answerIndex":0}"#)
            ) { #expect(String(buffer: $0.body).contains(#""correct":false"#)) }
            for path in ["/proxy/quiz/", "/proxy/quiz/questions", "/proxy/quiz/healthz/ready", "/proxy/other"] {
                try await client.execute(uri: path, method: .get) { #expect($0.status == .notFound, "\(path)") }
            }
            for body in ["", "[]", #"{"questionId":1}"#] {
                try await client.execute(
                    uri: "/proxy/quiz/questions/1/answers", method: .post,
                    headers: [.contentType: "application/json"], body: ByteBuffer(string: body)
                ) { #expect($0.status == .badRequest) }
            }
        }
    }

    @Test(
        "a dependency that is down, slow or talks nonsense",
        arguments: [
            (
                UpstreamError.connect(
                    code: "ECONNREFUSED", SocketEndpoint(address: .v4(IPv4Address(bits: 0x0A60_0007)), port: 80)),
                502, "connect ECONNREFUSED 10.96.0.7:80"
            ),
            (.timedOut(after: .seconds(2)), 504, "timeout of 2000ms exceeded"),
            (.invalidResponse, 502, "invalid response"),
        ] as [(UpstreamError, Int, String)])
    func failures(error: UpstreamError, status: Int, text: String) async throws {
        try await application(ScriptedUpstream { _ throws(UpstreamError) in throw error }).test(.router) { client in
            try await client.execute(uri: "/", method: .get) { response in
                #expect(response.status == .ok)
                #expect(String(buffer: response.body).contains("==== TIP OF THE MINUTE\nERROR: \(text)\n"))
            }
            try await client.execute(uri: "/proxy/quote", method: .get) { response in
                #expect(response.status.code == status)
                #expect(String(buffer: response.body) == "{\"error\":\"\(text)\"}")
            }
            try await client.execute(uri: "/html", method: .get) { #expect($0.status == .ok) }
        }
    }

    @Test("the trace context goes on to the dependencies")
    func tracing() async throws {
        let upstream = ScriptedUpstream(Self.healthy)
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        try await application(upstream).test(.router) { client in
            let headers: HTTPFields = [HTTPField.Name("traceparent") ?? .server: parent]
            try await client.execute(uri: "/text", method: .get, headers: headers) { #expect($0.status == .ok) }
        }
        #expect(upstream.seen.count == 2)
        #expect(upstream.seen.allSatisfy { $0.trace.traceparent == parent })
    }

    @Test("/discovery tells how each dependency was found")
    func discovery() async throws {
        try await application(ScriptedUpstream(Self.healthy)).test(.router) { client in
            try await client.execute(uri: "/discovery", method: .get) { response in
                let text = String(buffer: response.body)
                #expect(text.contains(#""method":"variables""#) && text.contains(#""addresses":["10.96.0.7:80"]"#))
            }
        }
    }
}
