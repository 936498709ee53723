import Synchronization

/// Whether this program wants traffic: true from the start, false for ever once it is being stopped.
package final class Readiness: Sendable {
    private let isEnding = Mutex(false)

    package init() {}

    package var isDraining: Bool { isEnding.withLock { $0 } }

    package func drain() { isEnding.withLock { $0 = true } }
}

/// Asks something that the service cannot do without; throws the reason why it cannot work now.
package typealias ReadinessCheck = @Sendable () async throws -> Void

/// What a failed ``ReadinessCheck`` says.
package struct NotReady: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
