#if os(Linux)
import DataPlaneContract
import Logging
import ServiceRouting
import UserspaceProxy

extension PlaneUnderTest {
    /// Runs `body` with a plane of its own, which is stopped afterwards whatever happens.
    static func run(
        _ configuration: UserspaceConfiguration = UserspaceConfiguration(),
        _ body: (UserspacePlane) async throws -> Void
    ) async throws {
        let plane = try UserspacePlane(configuration: configuration, logger: Logger(label: "test"))
        do { try await body(plane) } catch {
            await plane.stop()
            throw error
        }
        await plane.stop()
    }
}
#endif
