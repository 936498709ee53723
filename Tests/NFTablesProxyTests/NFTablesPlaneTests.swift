#if os(Linux)
import CLinux
import DataPlaneContract
import Glibc
import KiadaTesting
import Logging
import NFTablesProxy
import NetTypes
import ServiceRouting
import Testing

/// The plane in a network namespace that has nothing but loopback: services and endpoints are on this machine.
@Suite(.serialized, .enabled(if: NetworkNamespace.rights == .all), .timeLimit(.minutes(2)))
struct NFTablesPlaneTests {
    private static func plane(_ configuration: NFTablesConfiguration = NFTablesConfiguration()) throws -> NFTablesPlane
    {
        try NFTablesPlane(configuration: configuration, logger: Logger(label: "test"))
    }

    @Test("The contract of all data planes", arguments: ContractClause.all)
    func contract(_ clause: ContractClause) async throws {
        var configuration = NFTablesConfiguration()
        configuration.otherNodes = 2
        try await clause.check(try Self.plane(configuration))
    }

    @Test("stop() leaves no table; the tables of a run that was killed go at the next start")
    func cleanUp() async throws {
        let server = TestServer(.greet("a"))
        let (first, second) = (PlaneUnderTest.freeFrontend(), PlaneUnderTest.freeFrontend())
        // Never stopped, as if they had been killed: what they did is in the kernel.
        _ = try PingSilence([try #require(CIDR("10.213.0.0/24"))])
        let killed = try Self.plane()
        await killed.apply(PlaneUnderTest.diff([PlaneUnderTest.route(first, [server.endpoint])]))
        #expect(PlaneUnderTest.answer(first) == "a")
        try await PlaneUnderTest.run(try Self.plane()) { plane async throws in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(second, [server.endpoint])]))
            #expect(PlaneUnderTest.answer(first) == nil)
            #expect(PlaneUnderTest.answer(second) == "a")
        }
        #expect(try await Self.rules() == "")
    }

    @Test("After somebody has flushed all rules, the next change brings everything back")
    func flushed() async throws {
        let server = TestServer(.greet("a"))
        let (first, second) = (PlaneUnderTest.freeFrontend(), PlaneUnderTest.freeFrontend())
        try await PlaneUnderTest.run(try Self.plane()) { plane async throws in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(first, [server.endpoint])]))
            _ = try await ChildProcess.run("nft", ["flush", "ruleset"])
            #expect(PlaneUnderTest.answer(first) == nil)
            let problems = await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(second, [server.endpoint])]))
            #expect(problems.isEmpty)
            for frontend in [first, second] { #expect(PlaneUnderTest.answer(frontend) == "a") }
        }
    }

    @Test("The number of rules does not depend on the number of Services")
    func ruleCount() async throws {
        let endpoints = (1...3).map { SocketEndpoint(address: PlaneUnderTest.endpointHost, port: $0) }
        func routes(_ count: UInt16) -> [FrontendRoute] {
            (1...count).map {
                let frontend = Frontend(SocketEndpoint(address: PlaneUnderTest.host, port: $0), .tcp)
                return PlaneUnderTest.route(frontend, endpoints)
            }
        }
        try await PlaneUnderTest.run(try Self.plane()) { plane async throws in
            await plane.apply(PlaneUnderTest.diff(routes(1)))
            let few = try await Self.ruleCount()
            #expect(few > 10)
            await plane.apply(PlaneUnderTest.diff(routes(5000)))
            #expect(try await Self.ruleCount() == few)
        }
    }

    @Test("An address that this process serves itself is left alone")
    func exempt() async throws {
        let (dns, other) = (TestServer(.greet("own"), on: PlaneUnderTest.host), TestServer(.greet("other")))
        var configuration = NFTablesConfiguration()
        configuration.exemptAddresses = [PlaneUnderTest.host]
        try await PlaneUnderTest.run(try Self.plane(configuration)) { plane async throws in
            let frontend = Frontend(dns.endpoint, .tcp)
            for endpoints in [[], [other.endpoint]] {
                let problems = await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, endpoints)]))
                #expect(problems.isEmpty)
                #expect(PlaneUnderTest.answer(frontend) == "own")
            }
        }
    }

    @Test(
        "7.10 beside another plane, pings of cluster IPs that the machine owns are dropped, and nothing else is",
        .enabled(if: access("/usr/bin/ping", X_OK) == 0, "ping is missing (Debian package iputils-ping)"))
    func silence() async throws {
        let block = try #require(CIDR("10.213.0.0/24"))
        for command in ["addr add 10.214.0.1/24 dev lo", "route add local \(block) dev lo"] {
            #expect(try await ChildProcess.run("ip", command.split(separator: " ").map(String.init)).code == 0)
        }
        func answers(_ address: String) async throws -> Bool {
            try await ChildProcess.run("ping", ["-c", "1", "-W", "1", address]).code == 0
        }
        #expect(try await answers("10.213.0.7"))
        // The first as if it had been killed.
        _ = try PingSilence([block])
        let silence = try PingSilence([block, try #require(CIDR("fd00:213::/112"))])
        #expect(try await !answers("10.213.0.7"))
        #expect(try await answers("10.214.0.1"))
        let port = SocketEndpoint(address: .v4(IPv4Address(bits: 0x0AD5_0007)), port: 9)
        #expect(TestSocket(SOCK_STREAM).connect(to: port) == ECONNREFUSED)
        silence.end()
        #expect(try await answers("10.213.0.7"))
        #expect(try await Self.rules() == "")
        let missing = #expect(throws: PingSilence.Failure.self) { try PingSilence([block], library: "libnone.so") }
        #expect("\(missing.map(\.description) ?? "")" == "libnone.so cannot be loaded")
    }

    /// What nft, which is to understand all of it, says is there.
    private static func rules(_ options: [String] = []) async throws -> String {
        let list = try await ChildProcess.run("nft", options + ["list", "ruleset"])
        #expect(list.code == 0)
        return list.output
    }

    private static func ruleCount() async throws -> Int {
        // Sets and maps may be long; rules are what has a handle within a chain.
        return try await rules(["-a", "-t"]).split(separator: "\n").filter {
            $0.contains("# handle") && !$0.contains("{")
        }.count
    }
}
#endif
