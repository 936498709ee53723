import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

@testable import ServiceKit

@Suite("What all answers have in common")
struct ServiceResponderTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    private let readiness = Readiness()
    private let metrics = ServiceMetrics(program: "test")
    private let lines = Lines()

    private func application(check: @escaping ReadinessCheck = {}) -> some ApplicationProtocol {
        let router = ServiceRouter(context: ServiceRequestContext.self)
        router.resource("/small", get: { _, _ in .text("small") })
        router.resource("/large", get: { _, _ in .text(String(repeating: "All work and no play. ", count: 100)) })
        router.resource("/broken", get: { _, _ in throw NotReady("no") })
        StandardEndpoints(
            program: "test", readyText: "Ready", readiness: readiness, metrics: metrics, check: check
        ).add(to: router)
        let lines = lines
        let log = AccessLog(.json) { lines.add($0) }
        return Application(
            responder: ServiceResponder(router, podName: "pod-1", metrics: metrics, accessLog: log))
    }

    @Test("pod name in every answer, 404 names the path, 405 names what is allowed, 500 keeps its reason to itself")
    func errors() async throws {
        try await application().test(.router) { client in
            try await client.execute(uri: "/small", method: .get) { response in
                #expect(response.headers[.podName] == "pod-1")
                #expect(String(buffer: response.body) == "small\n")
            }
            try await client.execute(uri: "/nothing", method: .get) { response in
                #expect(response.status == .notFound)
                #expect(String(buffer: response.body) == "/nothing not found\n")
                #expect(response.headers[.podName] == "pod-1")
            }
            try await client.execute(uri: "/small", method: .delete) { response in
                #expect(response.status == .methodNotAllowed)
                #expect(response.headers[.allow] == "GET, HEAD")
            }
            try await client.execute(uri: "/broken", method: .get) { response in
                #expect(response.status == .internalServerError)
                #expect(String(buffer: response.body) == "ERROR: internal error\n")
            }
        }
    }

    @Test("texts over 1 KiB are compressed for those who accept it")
    func compression() async throws {
        try await application().test(.router) { client in
            try await client.execute(uri: "/large", method: .get, headers: [.acceptEncoding: "gzip"]) { response in
                #expect(response.headers[.contentEncoding] == "gzip")
                #expect(Array(response.body.readableBytesView.prefix(2)) == [0x1F, 0x8B])
                #expect(response.body.readableBytes < 400)
                #expect(response.headers[.vary] == "Accept-Encoding")
            }
            try await client.execute(uri: "/large", method: .get) { response in
                #expect(response.headers[.contentEncoding] == nil)
                #expect(response.body.readableBytes > 2000)
            }
            try await client.execute(uri: "/small", method: .get, headers: [.acceptEncoding: "gzip"]) { response in
                #expect(response.headers[.contentEncoding] == nil)
            }
        }
    }

    @Test(
        "Accept-Encoding",
        arguments: [
            ("gzip", true), ("br, gzip;q=0.5", true), ("gzip;q=0", false), ("*", true), ("br", false), ("", false),
            ("GZIP", true), ("gzip; q=0.0", false),
        ])
    func acceptance(header: String, expected: Bool) { #expect(Gzip.isAccepted(by: header) == expected) }

    @Test("ready, not ready for a reason, and draining")
    func readiness() async throws {
        try await application().test(.router) { client in
            try await client.execute(uri: "/healthz/ready", method: .get) { response in
                #expect(response.status == .ok && String(buffer: response.body) == "Ready\n")
            }
        }
        try await application(check: { throw NotReady("no database") }).test(.router) { client in
            try await client.execute(uri: "/healthz/ready", method: .get) { response in
                #expect(response.status == .internalServerError)
                #expect(String(buffer: response.body) == "ERROR: no database\n")
            }
            try await client.execute(uri: "/healthz/live", method: .get) { #expect($0.status == .ok) }
        }
        readiness.drain()
        try await application().test(.router) { client in
            try await client.execute(uri: "/healthz/ready", method: .get) { #expect($0.status == .serviceUnavailable) }
        }
    }

    @Test("metrics count by route, not by path; the access log has a line per request, but not for probes")
    func observation() async throws {
        try await application().test(.router) { client in
            for path in ["/small", "/nothing/1", "/nothing/2", "/healthz/live"] {
                try await client.execute(uri: path, method: .get)
            }
            try await client.execute(uri: "/metrics", method: .get) { response in
                let text = String(buffer: response.body)
                #expect(text.contains("http_requests_total{method=\"GET\",route=\"/small\",status=\"200\"} 1\n"))
                #expect(text.contains("http_requests_total{method=\"GET\",route=\"NotFound\",status=\"404\"} 2\n"))
                #expect(
                    text.contains(
                        "http_request_duration_seconds_bucket{method=\"GET\",route=\"/small\",status=\"200\",le=\"+Inf\"} 1"
                    ))
            }
        }
        #expect(lines.all.count == 3)
        #expect(lines.all.first?.contains(#""path":"/small""#) == true)
    }

    @Test("version")
    func version() async throws {
        try await application().test(.router) { client in
            try await client.execute(uri: "/version", method: .get) { response in
                #expect(
                    String(buffer: response.body) == "{\"program\":\"test\",\"version\":\"\(SuiteVersion.text)\"}\n")
            }
        }
    }
}
