import ClusterModel
import NetTypes
import Testing

@testable import PodRuntime

@Suite("6.14 a pod's own names")
struct HostsFileTests {
    private func text(_ spec: [String: JSONValue]) throws -> String {
        let address = try #require(IPAddress("10.244.1.5"))
        return HostsFile.text(
            for: .fixture("web-0", spec: spec), at: address, clusterDomain: "cluster.local", node: "127.0.0.1 mine")
    }

    @Test("The address has the pod's host name, and with a subdomain its full name before it")
    func names() throws {
        #expect(try text([:]).hasSuffix("\n10.244.1.5\tweb-0\n"))
        #expect(
            try text(["hostname": "db", "subdomain": "data"])
                .hasSuffix("\n10.244.1.5\tdb.data.kiada.svc.cluster.local\tdb\n"))
    }

    @Test("Host aliases follow; a pod in the node's network has the node's file")
    func aliases() throws {
        let aliases: JSONValue = [["ip": "192.0.2.7", "hostnames": ["old.example.org", "old"]]]
        #expect(
            try text(["hostAliases": aliases])
                .hasSuffix("web-0\n\n# Entries added by HostAliases.\n192.0.2.7\told.example.org\told\n"))
        #expect(
            try text(["hostAliases": aliases, "hostNetwork": true])
                == "127.0.0.1 mine\n\n# Entries added by HostAliases.\n192.0.2.7\told.example.org\told\n")
    }

    @Test("setHostnameAsFQDN makes the full name the kernel's, where it fits")
    func kernelHostname() throws {
        func name(_ spec: [String: JSONValue]) throws -> String? {
            try HostsFile.kernelHostname(of: .fixture("web-0", spec: spec), clusterDomain: "cluster.local")
        }
        #expect(try name(["subdomain": "data"]) == "web-0")
        #expect(
            try name(["subdomain": "data", "setHostnameAsFQDN": true]) == "web-0.data.kiada.svc.cluster.local")
        #expect(try name(["setHostnameAsFQDN": true]) == "web-0")
        #expect(try name(["hostNetwork": true]) == nil)
        let long = String(repeating: "a", count: 50)
        #expect(throws: ContainerCommandError.self) {
            try name(["subdomain": .string(long), "setHostnameAsFQDN": true])
        }
    }
}
