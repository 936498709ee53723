import ClusterDNS
import DNSWire
import Foundation
import KiadaTesting
import NetTypes
import Testing

private enum Dig {
    static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/bin/dig")
}

/// The server as an independent client sees it: BIND's dig.
@Suite(
    "The name server, asked by dig", .timeLimit(.minutes(1)),
    .enabled(if: Dig.isInstalled, "no dig: apt install bind9-dnsutils"))
struct DigTests {
    /// Runs `body` with a function that asks by dig and gives its output.
    private func withDig(_ body: ((_ arguments: String) async throws -> String) async throws -> Void) async throws {
        var cluster = ClusterFixture()
        cluster.add(ClusterFixture.service("sixty", ips: ["None"], ports: []))
        let pods = (1...60).map { ("10.244.7.\($0)", true, String?.none) }
        cluster.add(ClusterFixture.slice("sixty", "s1", [], pods))
        let endpoint = SocketEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 0)
        let server = try await DNSServer.start(
            DNSServerSettings(endpoints: [endpoint]),
            responder: Responder(zone: ZoneHolder(cluster.zone), forwarder: Forwarder(upstreams: [])))
        let port = server.endpoints[0].port
        do {
            try await body { arguments in
                let words = arguments.split(separator: " ").map(String.init)
                let exit = try await ChildProcess.run(
                    "/usr/bin/dig", ["@127.0.0.1", "-p", "\(port)", "+time=5", "+tries=1"] + words)
                #expect(exit.code == 0, "\(exit.errors)")
                return exit.output
            }
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test("6.11 [V] sixty pods do not fit into 512 octets: dig is told so, asks again over TCP and gets all")
    func fallback() async throws {
        try await withDig { dig in
            let name = "sixty.kiada.svc.cluster.local"
            // Twice: a cut reply must not be kept for the next client.
            for _ in 0..<2 {
                let cut = try await dig("+noedns +ignore \(name)")
                #expect(cut.contains("flags: qr aa tc rd;") && !cut.contains("ANSWER: 60,"))
                let whole = try await dig("+noedns \(name)")
                #expect(whole.contains("Truncated, retrying in TCP mode") && whole.contains("ANSWER: 60,"))
            }
            let large = try await dig("+bufsize=1232 \(name)")
            #expect(!large.contains("Truncated") && large.contains("ANSWER: 60,"))
            let short = try await dig("+short +noedns \(name)")
            #expect(Set(short.split(separator: "\n").filter { $0.hasPrefix("10.244.7.") }).count == 60)
        }
    }

    @Test("dig finds addresses, ports, aliases, names of addresses and the version; a cookie does no harm")
    func kinds() async throws {
        try await withDig { dig in
            for (arguments, expected) in [
                ("quote.kiada.svc.cluster.local", "10.96.74.151"), ("dual.kiada.svc.cluster.local AAAA", "fd00::30"),
                ("_http._tcp.quote.kiada.svc.cluster.local SRV", "0 100 80 quote.kiada.svc.cluster.local."),
                ("-x 10.96.74.151", "quote.kiada.svc.cluster.local."), ("dns-version.cluster.local TXT", "\"1.1.0\""),
                ("alias.kiada.svc.cluster.local CNAME", "quote.kiada.svc.cluster.local."),
            ] {
                for option in ["+nocookie", "+cookie", "+tcp", "+noedns", "+nocookie"] {
                    let output = try await dig("+short \(option) \(arguments)")
                    #expect(output == expected + "\n")
                }
            }
            let missing = try await dig("gone.kiada.svc.cluster.local")
            #expect(missing.contains("status: NXDOMAIN") && missing.contains("SOA"))
            #expect(!missing.contains("Warning") && !missing.contains("malformed"))
        }
    }
}
