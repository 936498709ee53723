#if os(Linux)
import DataPlaneContract
import Glibc
import KiadaTesting
import Logging
import NetTypes
import ServiceRouting
import Testing
import UserspaceProxy

/// The userspace plane: the contract of all planes, and what only this one does; the aspects are in files of their own.
@Suite(.serialized, .timeLimit(.minutes(2))) struct UserspacePlaneTests {
    @Test(
        "io_uring carries the plane where it is asked for",
        .enabled(if: PlaneUnderTest.engines.contains(.ioUring), "not permitted here: all tests run on epoll alone"))
    func ring() async throws { try await PlaneUnderTest.run(on: .ioUring) { #expect($0.name == "userspace") } }

    @Test("The contract of all data planes", arguments: PlaneUnderTest.engines, ContractClause.all)
    func contract(_ engine: UserspaceEngine, _ clause: ContractClause) async throws {
        var configuration = UserspaceConfiguration()
        configuration.engine = engine
        try await clause.check(try UserspacePlane(configuration: configuration, logger: Logger(label: "test")))
    }

    @Test("octets are counted in both directions", arguments: PlaneUnderTest.engines)
    func countsOctets(_ engine: UserspaceEngine) async throws {
        let server = TestServer(.greet("a"))
        let frontend = PlaneUnderTest.freeFrontend()
        try await PlaneUnderTest.run(on: engine) { plane in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
            for _ in 0..<50 { #expect(PlaneUnderTest.answer(frontend) == "a") }
            #expect(await plane.counters().map(\.bytesToClient) == [50])
        }
    }

    @Test("7.3 in round robin mode the endpoints take turns, over all threads", arguments: PlaneUnderTest.engines)
    func roundRobin(_ engine: UserspaceEngine) async throws {
        let servers = ["a", "b", "c"].map { TestServer(.greet($0)) }
        let frontend = PlaneUnderTest.freeFrontend()
        var configuration = UserspaceConfiguration()
        configuration.choice = .roundRobin
        try await PlaneUnderTest.run(on: engine, configuration) { plane in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, servers.map(\.endpoint))]))
            let answers = (0..<30).map { _ in PlaneUnderTest.answer(frontend) }
            #expect(Set(answers.prefix(3)) == ["a", "b", "c"])
            for index in 3..<30 { #expect(answers[index] == answers[index - 3]) }
        }
    }

    @Test(
        "7.12 an answer that comes before the request is over reaches the client, although the endpoint then resets",
        arguments: PlaneUnderTest.engines)
    func earlyAnswer(_ engine: UserspaceEngine) async throws {
        let server = TestServer(.answerUnread("413"))
        let frontend = PlaneUnderTest.freeFrontend()
        try await PlaneUnderTest.run(on: engine) { plane in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
            for _ in 0..<20 {
                let client = TestSocket(SOCK_STREAM)
                #expect(client.connect(to: frontend.address) == 0)
                client.write([UInt8](repeating: 1, count: 300_000))
                #expect(client.read() == Array("413".utf8))
            }
        }
    }

    @Test("7.3 a refused dial goes to another endpoint, and is counted", arguments: PlaneUnderTest.engines)
    func retries(_ engine: UserspaceEngine) async throws {
        let server = TestServer(.greet("good"))
        let frontend = PlaneUnderTest.freeFrontend()
        let dead = PlaneUnderTest.freeFrontend().address
        try await PlaneUnderTest.run(on: engine) { plane in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint, dead])]))
            for _ in 0..<30 { #expect(PlaneUnderTest.answer(frontend) == "good") }
            let failures = await plane.counters().first { $0.endpoint == dead }?.dialFailures ?? 0
            #expect(failures > 0)
        }
    }

    @Test("7.3 a dial that takes too long goes to another endpoint", arguments: PlaneUnderTest.engines)
    func slowDial(_ engine: UserspaceEngine) async throws {
        let (server, full) = (TestServer(.greet("good")), try FullServer())
        let frontend = PlaneUnderTest.freeFrontend()
        var configuration = UserspaceConfiguration()
        configuration.dialTimeouts = [.milliseconds(20), .seconds(10)]
        try await PlaneUnderTest.run(on: engine, configuration) { plane in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [full.endpoint, server.endpoint])]))
            for _ in 0..<20 { #expect(PlaneUnderTest.answer(frontend) == "good") }
            #expect(await plane.counters().first { $0.endpoint == full.endpoint }?.dialFailures ?? 0 > 0)
        }
    }

    @Test(
        "a client that leaves while its dial is under way costs nothing for long", arguments: PlaneUnderTest.engines)
    func leavesEarly(_ engine: UserspaceEngine) async throws {
        let full = try FullServer()
        let frontend = PlaneUnderTest.freeFrontend()
        var configuration = UserspaceConfiguration()
        configuration.dialTimeouts = [.seconds(10)]
        try await PlaneUnderTest.run(on: engine, configuration) { plane in
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [full.endpoint])]))
            let events = plane.connectionEvents(limit: 10)
            try await {
                let client = TestSocket(SOCK_STREAM)
                try #require(client.connect(to: frontend.address) == 0)
                for await _ in events { break }
                #expect(await plane.counters().map(\.active) == [1])
                client.endAbruptly()
            }()
            let isGone = await eventually { await plane.counters().map(\.active) == [0] }
            #expect(isGone)
        }
    }

    @Test("7.9 a source outside the ranges gets no answer and no reset", arguments: PlaneUnderTest.engines)
    func drops(_ engine: UserspaceEngine) async throws {
        let server = TestServer(.greet("a"))
        let frontend = PlaneUnderTest.freeFrontend()
        try await PlaneUnderTest.run(on: engine) { plane in
            let ranges = ["203.0.113.0/24"].compactMap { CIDR($0) }
            await plane.apply(
                PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint], sources: ranges)]))
            let client = TestSocket(SOCK_STREAM)
            #expect(client.connect(to: frontend.address) == 0)
            client.write("hello")
            // Each loop answers after what the kernel told it before, so the connection was looked at by then.
            #expect(await plane.counters().map(\.connections) == [0])
            let silence = client.peek()
            #expect(silence == EAGAIN)
        }
    }
}
#endif
