import Testing

@testable import ClusterAPI

@Suite("Whom a request believes to talk to")
struct HostFieldTests {
    @Test(
        "every address, and the names of the API",
        arguments: [
            nil, "", "localhost", "localhost:6443", "127.0.0.1:6443", "10.96.192.2:6443", "10.96.0.1", "[::1]:6443",
            "[fd00:10:96::1]", "kubernetes", "Kubernetes.Default.svc:443", "kubernetes.default.svc.cluster.local",
        ])
    func ours(_ value: String?) { #expect(HostField.isOurs(value)) }

    @Test(
        "no name that somebody else can let lead here",
        arguments: [
            "example.com", "127.example.com:6443", "kubernetes.example.com", "kubernetesx", "localhost.example.com",
            "1.2.3.4.example.com", "[::1", "[x]:1", "::1", "127.1", ":6443",
        ])
    func others(_ value: String) { #expect(!HostField.isOurs(value)) }
}
