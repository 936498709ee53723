import FoundationEssentials
import KiadaTesting
import QuizService
import Testing

@Suite("Storage in SQLite")
struct SQLiteQuizStoreTests {
    @Test("the contract of all stores")
    func contract() async throws {
        let folder = try TemporaryFolder("quiz")
        let store = try SQLiteQuizStore(folder: folder.path + "/new")
        try await QuizStoreContract(store: store).check()
        await store.close()
    }

    @Test("answers are there after the file is opened again")
    func reopening() async throws {
        let folder = try TemporaryFolder("quiz")
        let first = try SQLiteQuizStore(folder: folder.path)
        try await first.prepare(seeding: QuizStoreContract.questions)
        try await first.record(
            Verdict(timestamp: "2026-11-24T12:00:00.000Z", questionId: 1, answerIndex: 0, correctAnswerIndex: 1))
        await first.close()
        let second = try SQLiteQuizStore(folder: folder.path)
        try await second.prepare(seeding: QuizStoreContract.questions)
        #expect(try await second.answerCounts(of: 1) == [0: 1])
        await second.close()
    }

    @Test("a folder that cannot be made is named")
    func unusable() {
        let error = #expect(throws: QuizStoreError.self) { try SQLiteQuizStore(folder: "/proc/nothing/here") }
        #expect(error?.description.contains("/proc/nothing/here") == true)
    }
}

@Suite("Storage in PostgreSQL", .enabled(if: PostgresServer.isInstalled, "no PostgreSQL: apt install postgresql"))
struct PostgresQuizStoreTests {
    @Test("the contract of all stores, and several quizzes that start at once")
    func contract() async throws {
        let server = try await PostgresServer.start()
        let stores = (0..<3).map { _ in PostgresQuizStore(url: server.url, connections: 2) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for store in stores { group.addTask { try await store.prepare(seeding: QuizStoreContract.questions) } }
            try await group.waitForAll()
        }
        try await QuizStoreContract(store: stores[0]).check()
        // What one has written, the others see.
        #expect(try await stores[1].answerCounts(of: 2) == [0: 50])
        for store in stores { await store.close() }
        await server.stop()
    }

    @Test("connections come back after the server was away")
    func reconnection() async throws {
        let server = try await PostgresServer.start()
        let store = PostgresQuizStore(url: server.url, connections: 1)
        try await store.prepare(seeding: QuizStoreContract.questions)
        await server.stop()
        await #expect(throws: QuizStoreError.self) { try await store.ping() }
        try await server.startAgain()
        try await store.ping()
        #expect(try await store.questions().count == 2)
        await store.close()
        await server.stop()
    }

    @Test("no server: the reason names it")
    func refused() async throws {
        let store = PostgresQuizStore(url: "postgres://127.0.0.1:1/quiz", connections: 1)
        let error = await #expect(throws: QuizStoreError.self) { try await store.ping() }
        #expect(error?.description.contains("127.0.0.1") == true)
        await store.close()
    }
}
