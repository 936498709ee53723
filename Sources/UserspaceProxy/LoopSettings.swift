import Logging
import ServiceRouting

/// What a loop is told when it starts.
struct LoopSettings: Sendable {
    let number: Int
    let maximumRelays: Int
    let maximumFlows: Int
    let descriptorShare: Int
    let flowIdleTimeout: Duration
    let dialTimeouts: [Duration]
    let seed: UInt64
    let clock: @Sendable () -> UInt64
    let hub: EventHub
    let logger: Logger
}
