import DNSWire
import FoundationEssentials
import NetTypes
import ServiceDiscovery
import Testing

@Suite("Discovery of a Service", .timeLimit(.minutes(1)))
struct ServiceDiscoveryTests {
    /// Runs `body` with DNS settings whose resolv.conf is a pod's in namespace kiada.
    private func withPodDNS<Result>(
        _ server: ScriptedServer, extra: String = "", _ body: (DNSSettings) async throws -> Result
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kiada-dns-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "resolv.conf").path
        let text =
            "search kiada.svc.cluster.local svc.cluster.local\nnameserver 127.0.0.1\noptions ndots:5 attempts:1\n"
        try Data((text + extra).utf8).write(to: folder.appending(path: "resolv.conf"))
        return try await body(
            DNSSettings(resolvConfPath: file, hostsPath: "/nonexistent", port: server.endpoint.port))
    }

    private func discovery(
        url: String? = nil, environment: [String: String] = [:], dns: DNSSettings? = nil, name: String = "quiz"
    ) -> ServiceDiscovery {
        ServiceDiscovery(name: name, explicitURL: url, environment: environment, dns: dns)
    }

    private let quizZone = Replies.zone([
        "quiz.kiada.svc.cluster.local. A": [Replies.ipv4("10.96.136.190")],
        "quiz.other.svc.cluster.local. A": [Replies.ipv4("10.96.0.7")],
        "_http._tcp.quiz.kiada.svc.cluster.local. SRV": [
            .srv(ServiceLocation(priority: 0, weight: 100, port: 8080, target: .root))
        ],
    ])

    @Test("A URL with an address needs no DNS; path and port come from it")
    func urlWithAddress() async throws {
        let found = try await discovery(
            url: "http://127.0.0.1:8081/quote/",
            environment: ["QUIZ_SERVICE_HOST": "10.0.0.1", "QUIZ_SERVICE_PORT": "1"]
        ).resolve(limit: .seconds(5))
        #expect(found.method == .url && found.scheme == "http" && found.host == "127.0.0.1:8081")
        #expect(found.basePath == "/quote" && found.addresses.map(\.description) == ["127.0.0.1:8081"])
        #expect(found.attempts.map(\.method) == [.url])
    }

    @Test("S56 the host of http://quiz is found along the pod's search list, with the URL's port and not that of SRV")
    func urlWithName() async throws {
        try await ScriptedServer.with(quizZone) { (server: ScriptedServer) async throws in
            try await withPodDNS(server) { (dns: DNSSettings) async throws in
                let found = try await discovery(url: "http://quiz", dns: dns).resolve(limit: .seconds(5))
                #expect(found.addresses.map(\.description) == ["10.96.136.190:80"])
                #expect(found.host == "quiz" && found.method == .url)
                let other = try await discovery(url: "https://quiz.other", dns: dns).resolve(limit: .seconds(5))
                #expect(other.addresses.map(\.description) == ["10.96.0.7:443"])
            }
        }
    }

    @Test("A URL that is none, or whose host does not exist, is an error; variables are not tried instead")
    func badURL() async throws {
        let environment = ["QUIZ_SERVICE_HOST": "10.0.0.1", "QUIZ_SERVICE_PORT": "80"]
        let error = await #expect(throws: DiscoveryError.self) {
            try await discovery(url: "quiz:80", environment: environment).resolve(limit: .seconds(5))
        }
        #expect(error?.attempts.map(\.method) == [.url])
        try await ScriptedServer.with(quizZone) { (server: ScriptedServer) async throws in
            try await withPodDNS(server) { (dns: DNSSettings) async throws in
                let missing = await #expect(throws: DiscoveryError.self) {
                    try await discovery(url: "http://nothing", environment: environment, dns: dns).resolve(
                        limit: .seconds(5))
                }
                #expect("\(try #require(missing))".contains("nothing.kiada.svc.cluster.local. does not exist"))
            }
        }
    }

    @Test("localhost in a URL is this machine without any query")
    func localhost() async throws {
        try await ScriptedServer.with(quizZone) { (server: ScriptedServer) async throws in
            try await withPodDNS(server) { (dns: DNSSettings) async throws in
                let found = try await discovery(url: "http://localhost:8080", dns: dns).resolve(limit: .seconds(5))
                #expect(found.addresses.map(\.description) == ["127.0.0.1:8080", "[::1]:8080"])
                #expect(server.received.isEmpty)
            }
        }
    }

    @Test("S49 variables: the port named http wins over the first one; S51 hyphens become underscores")
    func variables() async throws {
        let environment = [
            "QUIZ_SERVICE_HOST": "10.96.136.190", "QUIZ_SERVICE_PORT": "443", "QUIZ_SERVICE_PORT_HTTP": "80",
            "MY_APP_SERVICE_HOST": "fd00::1", "MY_APP_SERVICE_PORT": "8080",
        ]
        let quiz = try await discovery(environment: environment).resolve(limit: .seconds(5))
        #expect(quiz.method == .variables && quiz.host == "10.96.136.190" && quiz.basePath.isEmpty)
        #expect(quiz.addresses.map(\.description) == ["10.96.136.190:80"])
        let app = try await discovery(environment: environment, name: "my-app").resolve(limit: .seconds(5))
        #expect(app.addresses.map(\.description) == ["[fd00::1]:8080"] && app.host == "[fd00::1]:8080")
    }

    @Test(
        "Variables that are no use are said so, and DNS is asked",
        arguments: [
            ([:], "QUIZ_SERVICE_HOST is not set"),
            (["QUIZ_SERVICE_HOST": "quiz"], "QUIZ_SERVICE_HOST 'quiz' is not an IP address"),
            (
                ["QUIZ_SERVICE_HOST": "1.2.3.4"],
                "QUIZ_SERVICE_HOST is set, but QUIZ_SERVICE_PORT_HTTP and QUIZ_SERVICE_PORT are not"
            ),
            (["QUIZ_SERVICE_HOST": "1.2.3.4", "QUIZ_SERVICE_PORT": "0"], "QUIZ_SERVICE_PORT '0' is not a port"),
        ] as [([String: String], String)])
    func dns(environment: [String: String], reason: String) async throws {
        try await ScriptedServer.with(quizZone) { (server: ScriptedServer) async throws in
            try await withPodDNS(server) { (dns: DNSSettings) async throws in
                let found = try await discovery(environment: environment, dns: dns).resolve(limit: .seconds(5))
                #expect(found.method == .dns && found.host == "quiz:8080")
                #expect(found.addresses.map(\.description) == ["10.96.136.190:8080"])
                #expect(found.attempts.first == DiscoveryAttempt(method: .variables, detail: reason))
                #expect(found.attempts.last?.detail.contains("quiz.kiada.svc.cluster.local.") == true)
            }
        }
    }

    @Test("6.13 the walk goes on after a name without addresses; without SRV the port is 80")
    func walkAfterNoData() async throws {
        let zone = Replies.zone([
            "quote.kiada.svc.cluster.local. TXT": [.txt([[65]])],
            "quote.svc.cluster.local. A": [Replies.ipv4("10.0.0.1")],
            "quote.svc.cluster.local. AAAA": [.aaaa(IPv6Address(high: 0xFD00 << 48, low: 1))],
        ])
        try await ScriptedServer.with(zone) { (server: ScriptedServer) async throws in
            try await withPodDNS(server) { (dns: DNSSettings) async throws in
                let found = try await discovery(dns: dns, name: "quote").resolve(limit: .seconds(5))
                #expect(found.addresses.map(\.description) == ["10.0.0.1:80", "[fd00::1]:80"])
                #expect(found.host == "quote")
            }
        }
    }

    @Test("A second resolve is answered from the cache, and a changed resolv.conf counts at once")
    func cacheAndReload() async throws {
        try await ScriptedServer.with(quizZone) { (server: ScriptedServer) async throws in
            try await withPodDNS(server) { (dns: DNSSettings) async throws in
                let discovery = discovery(dns: dns)
                let first = try await discovery.resolve(limit: .seconds(5))
                let queries = server.received.count
                #expect(try await discovery.resolve(limit: .seconds(5)) == first)
                #expect(server.received.count == queries)
                try Data("search other.svc.cluster.local\nnameserver 127.0.0.1\noptions ndots:2\n".utf8)
                    .write(to: URL(filePath: dns.resolvConfPath))
                let moved = try await discovery.resolve(limit: .seconds(5))
                #expect(moved.addresses.map(\.description) == ["10.96.0.7:80"])
            }
        }
    }

    @Test("A silent server costs no more than the limit, and the error says that it was asked")
    func limit() async throws {
        try await ScriptedServer.with({ _, _ in [] }) { (server: ScriptedServer) async throws in
            try await withPodDNS(server, extra: "options attempts:5\n") { (dns: DNSSettings) async throws in
                let start = ContinuousClock.now
                let error = await #expect(throws: DiscoveryError.self) {
                    try await discovery(dns: dns).resolve(limit: .seconds(2))
                }
                #expect(ContinuousClock.now - start < .seconds(5))
                #expect("\(try #require(error))".contains("\(server.endpoint) no reply in time"))
            }
        }
    }

    @Test("RESOLV_CONF names the file")
    func settings() {
        #expect(DNSSettings(environment: ["RESOLV_CONF": "/a/b"]).resolvConfPath == "/a/b")
        #expect(DNSSettings(environment: ["RESOLV_CONF": ""]).resolvConfPath == "/etc/resolv.conf")
    }
}

@Suite("URL of a Service")
struct ServiceURLTests {
    @Test(
        "Parts are read, defaults filled in",
        arguments: [
            ("http://quote/quote", "http://quote/quote", 80, "/quote"), ("HTTPS://Quiz", "https://Quiz", 443, ""),
            ("http://[fd00::1]:81/", "http://[fd00::1]:81", 81, ""), ("http://a:80//", "http://a", 80, ""),
        ] as [(String, String, UInt16, String)])
    func good(text: String, printed: String, port: UInt16, path: String) throws {
        let url = try ServiceURL(text)
        #expect(url.description == printed && url.port == port && url.path == path)
    }

    @Test(
        "What is no plain URL of a service is refused with the reason",
        arguments: [
            "quote", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:65536", "http://a:+1", "http://a b",
            "http://u@a", "http://a?x", "http://a#x", "http://[::1", "http://[1.2.3.4]", "http://[::1]x",
            "http://a\r\nX: y",
        ])
    func bad(text: String) {
        #expect(throws: ServiceURL.Invalid.self) { try ServiceURL(text) }
    }
}
