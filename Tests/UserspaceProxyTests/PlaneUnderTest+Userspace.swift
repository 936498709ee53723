#if os(Linux)
import DataPlaneContract
import Dispatch
import Glibc
import Logging
import ServiceRouting
import Synchronization

@testable import UserspaceProxy

extension PlaneUnderTest {
    /// epoll, SwiftNIO, and io_uring where this kernel permits it.
    static let engines: [UserspaceEngine] = {
        let isPermitted = Mutex(false)
        let isDone = DispatchSemaphore(value: 0)
        // On a thread of its own, whose system calls the end of a ring may interrupt.
        DataPlaneContract.run {
            if let engine = try? RingEngine() { isPermitted.withLock { $0 = engine.ring.inFlight == 0 } }
            isDone.signal()
        }
        isDone.wait()
        return isPermitted.withLock { $0 } ? [.epoll, .nio, .ioUring] : [.epoll, .nio]
    }()

    /// Runs `body` with a plane of its own, which is stopped afterwards whatever happens.
    static func run(
        on engine: UserspaceEngine, _ configuration: UserspaceConfiguration = UserspaceConfiguration(),
        _ body: (UserspacePlane) async throws -> Void
    ) async throws {
        var configuration = configuration
        configuration.engine = engine
        let plane = try UserspacePlane(configuration: configuration, logger: Logger(label: "test"))
        do { try await body(plane) } catch {
            await plane.stop()
            throw error
        }
        await plane.stop()
    }
}
#endif
