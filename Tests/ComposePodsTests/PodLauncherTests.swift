import NetTypes
import Testing

@testable import ComposePods

struct PodLauncherTests {
    private let file = "NODE_NAME=node\nKUBERNETES_SERVICE_HOST=10.96.0.1\nQUOTE_SERVICE_HOST=10.96.0.21\nnonsense\n"

    private func variables(_ environment: [String: String], links: Bool = true) -> [String: String] {
        PodLauncher.variables(
            environment: environment, file: file, hasServiceLinks: links, address: IPAddress("10.96.128.3"),
            name: "quote-1")
    }

    @Test("A container sees its pod's name and address, the node and the Services")
    func all() {
        #expect(
            variables(["PATH": "/bin"]) == [
                "PATH": "/bin", "POD_NAME": "quote-1", "POD_IP": "10.96.128.3", "NODE_NAME": "node",
                "KUBERNETES_SERVICE_HOST": "10.96.0.1", "QUOTE_SERVICE_HOST": "10.96.0.21",
            ])
    }

    @Test("5.4: what the container itself sets wins; an empty value counts as not set")
    func own() {
        let seen = variables(["QUOTE_SERVICE_HOST": "10.0.0.1", "QUOTE_URL": "", "NODE_NAME": ""])
        #expect(seen["QUOTE_SERVICE_HOST"] == "10.0.0.1")
        #expect(seen["QUOTE_URL"] == nil)
        #expect(seen["NODE_NAME"] == "node")
    }

    @Test("5.1: without service links only those of the Service kubernetes are left")
    func noLinks() {
        let seen = variables([:], links: false)
        #expect(seen["QUOTE_SERVICE_HOST"] == nil)
        #expect(seen["KUBERNETES_SERVICE_HOST"] == "10.96.0.1")
    }

    @Test(
        "RFC 1035 3.5, RFC 3596 2.5: reverse names",
        arguments: [
            ("10.96.0.2", "2.0.96.10.in-addr.arpa."),
            ("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."),
        ])
    func reverse(address: String, name: String) throws {
        #expect(EngineResolver.reverseName(of: try #require(IPAddress(address))) == name)
    }
}
