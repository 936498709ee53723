#if os(Linux)
import Glibc
import NetTypes
import ServiceRouting
import Synchronization
import Testing

extension ContractClause {
    /// Endpoints and frontends that come and go while clients are there.
    static let changes = [
        ContractClause("7.11 an established connection outlives its endpoint's removal") { plane in
            let (old, new) = (TestServer(.converse), TestServer(.greet("new")))
            let frontend = PlaneUnderTest.freeFrontend()
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [old.endpoint])]))
            let client = try connected(to: frontend)
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [new.endpoint])]))
            #expect(PlaneUnderTest.answer(frontend) == "new")
            client.write("still here")
            client.finish()
            #expect(client.readAll() == Array("still here".utf8))
        },
        ContractClause("no request fails while endpoints change under load and one is ready") { plane in
            let servers = ["a", "b", "c"].map { TestServer(.greet($0)) }
            let held = TestServer(.converse)
            let frontend = PlaneUnderTest.freeFrontend()
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [held.endpoint])]))
            let survivor = try connected(to: frontend)
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
        },
        ContractClause("frontends come and go live; a connection of one that goes stays") { plane in
            let talker = TestServer(.converse)
            let server = TestServer(.greet("a"))
            let (first, second) = (PlaneUnderTest.freeFrontend(), PlaneUnderTest.freeFrontend())
            await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(first, [talker.endpoint])]))
            let client = try connected(to: first)
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
            #expect(PlaneUnderTest.answer(first) == "a")
            #expect(TestSocket(SOCK_STREAM).connect(to: second.address) == ECONNREFUSED)
        },
    ]

    /// A client that has heard from its endpoint, which says what it is told.
    private static func connected(to frontend: Frontend) throws -> TestSocket {
        let client = TestSocket(SOCK_STREAM)
        try #require(client.connect(to: frontend.address) == 0)
        client.write("hello")
        try #require(client.read() == Array("hello".utf8))
        return client
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
