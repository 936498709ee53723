import HTTPTypes
import HummingbirdCore
import Testing

@testable import ClusterAPI

@Suite("Requests at the same time are bounded")
struct FlowControlTests {
    @Test(
        "who comes when all places are taken is sent away; a place is free again after its request, also a failed one")
    func places() async throws {
        struct Failure: Error {}
        let control = FlowControl(mostReading: 1, mostWriting: 1)
        let (holding, isHeld) = AsyncStream.makeStream(of: Void.self)
        let (release, free) = AsyncStream.makeStream(of: Void.self)
        async let held = control.run(.post) { () -> Int in
            isHeld.yield()
            for await _ in release { break }
            return 1
        }
        for await _ in holding { break }
        #expect(await control.run(.put) { 2 } == nil)
        #expect(await control.run(.get) { 3 } == 3, "reading has places of its own")
        free.yield()
        #expect(await held == 1)
        await #expect(throws: Failure.self) { try await control.run(.delete) { () -> Int in throw Failure() } }
        #expect(await control.run(.patch) { 4 } == 4)
    }

    @Test("429 is a Status with a time to come back")
    func response() throws {
        let response = APIResponder.tooManyRequests()
        #expect(response.status.code == 429)
        #expect(response.headers[.retryAfter] == "1")
    }
}
