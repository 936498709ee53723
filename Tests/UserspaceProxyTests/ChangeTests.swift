#if os(Linux)
import Glibc
import NetTypes
import ServiceRouting
import Synchronization
import Testing
import UserspaceProxy

extension DataPlaneContract {
    /// Endpoints and frontends that come and go while clients are there.
    @Suite(.serialized) struct Changes {
        @Test("7.11 an established connection outlives its endpoint's removal")
        func established() async throws {
            let old = TestServer(.echo)
            let new = TestServer(.greet("new"))
            let frontend = PlaneUnderTest.freeFrontend()
            try await PlaneUnderTest.run { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [old.endpoint])]))
                let client = try await Self.connected(to: frontend, through: plane)
                client.write("be")
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [new.endpoint])]))
                #expect(PlaneUnderTest.answer(frontend) == "new")
                client.write("fore")
                client.finish()
                #expect(client.readAll() == Array("before".utf8))
            }
        }

        @Test("no request fails while endpoints change under load and one is ready")
        func churn() async throws {
            let servers = ["a", "b", "c"].map { TestServer(.greet($0)) }
            let frontend = PlaneUnderTest.freeFrontend()
            try await PlaneUnderTest.run { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, servers.map(\.endpoint))]))
                let held = TestServer(.echo)
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [held.endpoint])]))
                let survivor = try await Self.connected(to: frontend, through: plane)
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, servers.map(\.endpoint))]))
                let load = ClientLoad(on: frontend, threads: 2, requests: 500)
                var turn = 0
                while !load.isDone {
                    turn += 1
                    let ready = turn % 2 == 0 ? [servers[turn % 3]] : [servers[turn % 3], servers[(turn + 1) % 3]]
                    await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, ready.map(\.endpoint))]))
                }
                #expect(turn > 10)
                #expect(load.failures == 0)
                survivor.write("still here")
                survivor.finish()
                #expect(survivor.readAll() == Array("still here".utf8))
                let rest = await plane.counters().filter { $0.endpoint == held.endpoint }
                #expect(rest.allSatisfy { $0.connections == 1 })
            }
        }

        @Test("frontends come and go live; a connection of one that goes stays")
        func frontends() async throws {
            let echo = TestServer(.echo)
            let server = TestServer(.greet("a"))
            let (first, second) = (PlaneUnderTest.freeFrontend(), PlaneUnderTest.freeFrontend())
            try await PlaneUnderTest.run { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(first, [echo.endpoint])]))
                let client = try await Self.connected(to: first, through: plane)
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(second, [server.endpoint])]))
                #expect(PlaneUnderTest.answer(second) == "a")
                await plane.apply(PlaneUnderTest.diff([], removed: [first]))
                #expect(TestSocket(SOCK_STREAM).connect(to: first.address) == ECONNREFUSED)
                client.write("kept")
                client.finish()
                #expect(client.readAll() == Array("kept".utf8))
                var all = PlaneUnderTest.diff([PlaneUnderTest.route(first, [server.endpoint])])
                all.isComplete = true
                await plane.apply(all)
                #expect(plane.servedFrontends == [first])
                #expect(PlaneUnderTest.answer(first) == "a")
                #expect(TestSocket(SOCK_STREAM).connect(to: second.address) == ECONNREFUSED)
            }
        }

        @Test("at the connection limit new clients wait, and are served when one leaves")
        func limit() async throws {
            let server = TestServer(.echo)
            let frontend = PlaneUnderTest.freeFrontend()
            var configuration = UserspaceConfiguration()
            configuration.loops = 1
            configuration.maximumConnections = 1
            try await PlaneUnderTest.run(configuration) { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
                let first = try await Self.connected(to: frontend, through: plane)
                let second = TestSocket(SOCK_STREAM)
                #expect(second.connect(to: frontend.address) == 0)
                second.write("second")
                second.finish()
                #expect(await plane.counters().map(\.active) == [1])
                #expect(second.peek() == EAGAIN)
                first.finish()
                #expect(first.readAll()?.isEmpty == true)
                #expect(second.readAll() == Array("second".utf8))
            }
        }

        /// A client whose connection has been given an endpoint.
        private static func connected(to frontend: Frontend, through plane: UserspacePlane) async throws -> TestSocket {
            let events = plane.connectionEvents(limit: 10)
            let client = TestSocket(SOCK_STREAM)
            try #require(client.connect(to: frontend.address) == 0)
            for await event in events where event.frontend == frontend { break }
            return client
        }
    }
}

/// Threads that open connection after connection and count those that get no whole answer.
private final class ClientLoad: Sendable {
    private let state: Mutex<(running: Int, failures: Int)>

    init(on frontend: Frontend, threads: Int, requests: Int) {
        state = Mutex((threads, 0))
        for _ in 0..<threads {
            run { [self] in
                for _ in 0..<requests where PlaneUnderTest.answer(frontend)?.count != 1 {
                    state.withLock { $0.failures += 1 }
                }
                state.withLock { $0.running -= 1 }
            }
        }
    }

    var isDone: Bool { state.withLock { $0.running == 0 } }
    var failures: Int { state.withLock(\.failures) }
}
#endif
