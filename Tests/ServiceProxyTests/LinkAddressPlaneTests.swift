import NetTypes
import ServiceRouting
import Synchronization
import Testing

@testable import ServiceProxy

/// What happened, in order.
private final class Journal: Sendable {
    private let lines = Mutex<[String]>([])

    func write(_ line: String) { lines.withLock { $0.append(line) } }

    func takeLines() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }
}

private struct WritingPlane: DataPlane {
    let journal: Journal
    let name = "userspace"

    func apply(_ diff: RoutingDiff) async -> [FrontendProblem] {
        journal.write("apply")
        return []
    }

    func connectionEvents(limit: Int) -> AsyncStream<ConnectionEvent> { AsyncStream { $0.finish() } }
    func counters() async -> [EndpointCounters] { [] }
    func stop() async { journal.write("stop") }
}

@Suite("addresses of IPv6 Services on the link")
struct LinkAddressPlaneTests {
    private let journal = Journal()

    private func plane(error: Int32 = 0, leftovers: Set<IPAddress> = []) throws -> LinkAddressPlane {
        let block = try #require(CIDR("fd00:10:96::/113"))
        return LinkAddressPlane(WritingPlane(journal: journal), blocks: [block], leftovers: leftovers) {
            [journal] address, isAdded in
            journal.write("\(isAdded ? "+" : "-")\(address)")
            return error
        }
    }

    private func frontend(_ address: String, _ port: UInt16) throws -> Frontend {
        Frontend(SocketEndpoint(address: try #require(IPAddress(address)), port: port), .tcp)
    }

    private func route(_ address: String, _ port: UInt16) throws -> FrontendRoute {
        FrontendRoute(
            frontend: try frontend(address, port), kind: .clusterIP,
            port: ServicePortID(
                service: ServiceID(namespace: "kiada", name: "quote"), portName: "p\(port)", proto: .tcp),
            outside: .reject)
    }

    @Test(
        "an address comes before its first frontend is served and goes after its last one; IPv4 and others are left alone"
    )
    func comesAndGoes() async throws {
        let plane = try plane()
        var diff = RoutingDiff()
        diff.changed = [
            try route("fd00:10:96::15", 80), try route("fd00:10:96::15", 443), try route("10.96.0.21", 80),
            try route("fd00:10:97::1", 80),
        ]
        _ = await plane.apply(diff)
        #expect(journal.takeLines() == ["+fd00:10:96::15", "apply"])

        diff = RoutingDiff()
        diff.removed = [try frontend("fd00:10:96::15", 80), try frontend("10.96.0.21", 80)]
        _ = await plane.apply(diff)
        #expect(journal.takeLines() == ["apply"])
        diff.removed = [try frontend("fd00:10:96::15", 443)]
        _ = await plane.apply(diff)
        #expect(journal.takeLines() == ["apply", "-fd00:10:96::15"])
    }

    @Test("a complete table takes away what it does not name; stop takes away the rest, after the plane")
    func completeAndStop() async throws {
        let plane = try plane()
        var diff = RoutingDiff()
        diff.changed = [try route("fd00:10:96::15", 80), try route("fd00:10:96::16", 80)]
        _ = await plane.apply(diff)
        _ = journal.takeLines()
        diff.changed = [try route("fd00:10:96::16", 80)]
        diff.isComplete = true
        _ = await plane.apply(diff)
        #expect(journal.takeLines() == ["-fd00:10:96::15", "apply"])
        await plane.stop()
        #expect(journal.takeLines() == ["stop", "-fd00:10:96::16"])
    }

    @Test("an address that the kernel refuses is asked for again with the next change")
    func refusal() async throws {
        let plane = try plane(error: 1)
        var diff = RoutingDiff()
        diff.changed = [try route("fd00:10:96::15", 80)]
        _ = await plane.apply(diff)
        _ = await plane.apply(diff)
        #expect(journal.takeLines() == ["+fd00:10:96::15", "apply", "+fd00:10:96::15", "apply"])
        await plane.stop()
        #expect(journal.takeLines() == ["stop"])
    }

    @Test("what an earlier run has left goes with the first change, unless it is needed")
    func leftovers() async throws {
        let stale = try #require(IPAddress("fd00:10:96::77"))
        let kept = try #require(IPAddress("fd00:10:96::15"))
        let plane = try plane(leftovers: [stale, kept])
        var diff = RoutingDiff()
        diff.changed = [try route("fd00:10:96::15", 80)]
        _ = await plane.apply(diff)
        #expect(journal.takeLines() == ["+fd00:10:96::15", "apply", "-fd00:10:96::77"])
        _ = await plane.apply(RoutingDiff())
        #expect(journal.takeLines() == ["apply"])
    }

    @Test("an address of a Service is never preferred as the source of other connections")
    func addressMessage() throws {
        let address = try #require(IPAddress("fd00:10:96::15"))
        let bytes = LinkAddressPlane.request(address, true, interface: 7).bytes
        #expect(Array(bytes[16..<24]) == [10, 128, 0, 0, 7, 0, 0, 0])
        // IFA_CACHEINFO behind the address: preferred for no second, valid for ever.
        #expect(Array(bytes[44..<56]) == [20, 0, 6, 0, 0, 0, 0, 0, 255, 255, 255, 255])
    }

    @Test("the kernel's table tells the addresses of one interface")
    func addressTable() {
        let table = """
            00000000000000000000000000000001 01 80 10 80       lo
            fd000010009600000000000000000015 0a 80 00 a2     eth0
            """
        #expect(LinkAddressPlane.addresses(of: 10, in: table).map(\.description) == ["fd00:10:96::15"])
    }

    @Test("the route of a block is the message that ip route add local ... sends")
    func routeMessage() throws {
        let block = try #require(CIDR("10.96.0.0/17"))
        let bytes = LocalRoute.request(block, interface: 7, type: 24, flags: RouteRequest.put).bytes
        #expect(bytes.count == 16 + 12 + 8 + 8)
        #expect(bytes[0] == 44 && bytes[4] == 24)
        #expect(Array(bytes[16..<24]) == [2, 17, 0, 0, 255, 4, 254, 2])
        #expect(Array(bytes[32..<36]) == [10, 96, 0, 0])
    }
}
