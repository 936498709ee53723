import DNSWire
import NetTypes
import ServiceDiscovery
import Testing

@Suite("resolv.conf")
struct ResolverConfigurationTests {
    private func servers(_ texts: String...) -> [SocketEndpoint] {
        texts.compactMap { IPAddress($0) }.map { SocketEndpoint(address: $0, port: 53) }
    }

    @Test("S40 the three lines of a pod's file are read")
    func podFile() {
        let text = """
            search kiada.svc.cluster.local svc.cluster.local cluster.local localdomain
            nameserver 10.96.0.10
            options ndots:5
            """
        let expected = ResolverConfiguration(
            nameservers: servers("10.96.0.10"),
            search: ["kiada.svc.cluster.local", "svc.cluster.local", "cluster.local", "localdomain"], ndots: 5)
        #expect(ResolverConfiguration(parsing: text) == expected)
    }

    @Test("6.12 the last search line wins, options add up, comments and unknown things are skipped, final dots go")
    func oddities() {
        let text =
            "; a\n# b\nsearch one two\nnameserver fd00::1 # x\ndomain three.\noptions timeout:3 edns0 rotate\n"
            + "options attempts:9 ndots:99 timeout:x\nnameserver nonsense\nsortlist 1\nsearch four. \n"
        let expected = ResolverConfiguration(
            nameservers: servers("fd00::1"), search: ["four"], ndots: 15, timeout: .seconds(3), attempts: 5,
            rotates: true)
        #expect(ResolverConfiguration(parsing: text) == expected)
    }

    @Test("6.12 the first 3 name servers, 32 domains of 253 characters and 2048 characters are used")
    func limits() {
        let four = ResolverConfiguration(
            parsing: "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4")
        #expect(four.nameservers == servers("1.1.1.1", "2.2.2.2", "3.3.3.3"))
        let many = (0..<40).map { "d\($0)" }
        #expect(
            ResolverConfiguration(parsing: "search " + many.joined(separator: " ")).search == Array(many.prefix(32)))
        let label = String(repeating: "x", count: 60)
        let long = [label, label, label, label].joined(separator: ".")
        #expect(ResolverConfiguration(parsing: "search " + long + "." + label + " ok").search == ["ok"])
        // 8 domains of 243 characters and 7 spaces are 1951; a ninth would be 2195.
        let nine = (0..<9).map { _ in long }.joined(separator: " ")
        #expect(ResolverConfiguration(parsing: "search " + nine).search.count == 8)
    }

    @Test("An empty file means the server on 127.0.0.1 and the defaults of resolv.conf(5)")
    func empty() {
        let expected = ResolverConfiguration(
            nameservers: servers("127.0.0.1"), search: [], ndots: 1, timeout: .seconds(5), attempts: 2, rotates: false)
        #expect(ResolverConfiguration(parsing: "") == expected)
    }
}

@Suite("6.13 Search walk")
struct SearchWalkTests {
    private let search = ["kiada.svc.cluster.local", "svc.cluster.local"]

    @Test("6.13 [V], S41 quiz.kiada with ndots 5 is tried in the search domains, then as it is")
    func vector() {
        let names = SearchWalk.candidates(for: "quiz.kiada", search: search, ndots: 5).map(\.description)
        #expect(names == ["quiz.kiada.kiada.svc.cluster.local.", "quiz.kiada.svc.cluster.local.", "quiz.kiada."])
    }

    @Test("A name with ndots dots is tried as it is first; a final dot ends the search")
    func dots() {
        let names = SearchWalk.candidates(for: "quiz.kiada", search: search, ndots: 1).map(\.description)
        #expect(names == ["quiz.kiada.", "quiz.kiada.kiada.svc.cluster.local.", "quiz.kiada.svc.cluster.local."])
        #expect(SearchWalk.candidates(for: "quiz.", search: search, ndots: 5).map(\.description) == ["quiz."])
    }

    @Test("What is no domain name has no candidates, and one too long with a domain is tried without it")
    func impossible() {
        #expect(SearchWalk.candidates(for: "a..b", search: search, ndots: 5).isEmpty)
        let label = String(repeating: "x", count: 60)
        let long = [label, label, label, label].joined(separator: ".")
        #expect(SearchWalk.candidates(for: long, search: search, ndots: 5).count == 1)
    }
}

@Suite("Hosts file")
struct HostsFileTests {
    @Test("localhost is on this machine whatever the file says (RFC 6761)")
    func localhost() {
        let file = HostsFile(parsing: "1.2.3.4 localhost\n")
        #expect(file.addresses(of: "LocalHost.").map(\.description) == ["127.0.0.1", "::1"])
        #expect(file.addresses(of: "a.localhost").map(\.description) == ["127.0.0.1", "::1"])
    }

    @Test("Names lead to all their addresses, letter case aside; other lines are skipped")
    func lines() {
        let file = HostsFile(parsing: "10.0.0.1 Host alias # x\nfd00::1 host\nbad line\n\n# 1.1.1.1 no\n")
        #expect(file.addresses(of: "HOST").map(\.description) == ["10.0.0.1", "fd00::1"])
        #expect(file.addresses(of: "alias").map(\.description) == ["10.0.0.1"])
        #expect(file.addresses(of: "no").isEmpty && file.addresses(of: "x").isEmpty)
    }
}
