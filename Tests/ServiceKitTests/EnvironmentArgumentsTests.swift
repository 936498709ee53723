import ServiceKit
import Testing

@Suite("Options from the environment")
struct EnvironmentArgumentsTests {
    private let source = EnvironmentArguments(options: ["http-port", "tls-cert"], flags: ["keep-alive"])

    @Test("variables become arguments; empty ones are none")
    func arguments() throws {
        let found = try source.arguments(
            from: ["HTTP_PORT": "80", "TLS_CERT": "", "KEEP_ALIVE": "true", "OTHER": "x"])
        #expect(found == ["--http-port=80", "--keep-alive"])
        #expect(try source.arguments(from: ["KEEP_ALIVE": "0"]).isEmpty)
    }

    @Test("a flag that is neither true nor false is refused by name and value")
    func malformed() {
        #expect(throws: EnvironmentArguments.Malformed.self) {
            try source.arguments(from: ["KEEP_ALIVE": "maybe"])
        }
    }

    @Test("error messages can say which options come from the environment only")
    func origins() {
        let found = source.origins(in: ["HTTP_PORT": "x", "TLS_CERT": "y"], besides: ["--tls-cert=z"])
        #expect(found == ["--http-port (HTTP_PORT)"])
    }
}

@Suite("Pod identity (10.3)")
struct PodIdentityTests {
    @Test("the downward API's words, else the book's")
    func defaults() {
        let full = PodIdentity(environment: [
            "POD_NAME": "quote-001", "NODE_NAME": "n", "POD_IP": "10.0.0.1", "NODE_IP": "10.0.0.2", "HOSTNAME": "h",
        ])
        #expect(
            full
                == PodIdentity(
                    podName: "quote-001", nodeName: "n", podIP: "10.0.0.1", nodeIP: "10.0.0.2", hostname: "h"))
        let bare = PodIdentity(environment: ["HOSTNAME": "h"])
        #expect(
            bare
                == PodIdentity(
                    podName: "h", nodeName: "unknown-node", podIP: "0.0.0.0", nodeIP: "0.0.0.0", hostname: "h"))
    }
}
