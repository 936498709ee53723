import Logging
import NIOCore
import NetTypes
import Synchronization

/// Whether connections may be accepted: one look at a number for each that comes or goes, over all event loops.
///
/// At the limit the listeners stop reading, so that new connections wait in the kernel's queues; a moment after one has
/// left they go on. With more than one loop, one connection per further loop may slip through.
final class AcceptGate: Sendable {
    /// How long the listeners rest at least.
    private static let rest = TimeAmount.milliseconds(100)

    private let maximumRelays: Int
    private let logger: Logger
    private let state: Mutex<State>

    /// What changes; guarded by the lock.
    private struct State {
        var relays = 0
        var flows = 0
        var descriptorShare: Int
        var listeners: [ObjectIdentifier: any Channel] = [:]
        var pause = AcceptPause()
    }

    /// - Parameter descriptorShare: how many descriptors relays and flows may take together.
    init(maximumRelays: Int, descriptorShare: Int, logger: Logger) {
        self.maximumRelays = maximumRelays
        self.logger = logger
        state = Mutex(State(descriptorShare: descriptorShare))
    }

    func setShare(_ share: Int) { state.withLock { $0.descriptorShare = share } }

    /// A listener to be stopped and started; it may not read before.
    func add(_ listener: any Channel) {
        let mayRead = state.withLock { state in
            state.listeners[ObjectIdentifier(listener)] = listener
            return !state.pause.isPaused
        }
        listener.setOption(.autoRead, value: mayRead).whenFailure { _ in }
    }

    func remove(_ listener: any Channel) {
        _ = state.withLock { $0.listeners.removeValue(forKey: ObjectIdentifier(listener)) }
    }

    /// A connection was accepted on `loop`.
    func enter(on loop: any EventLoop) {
        let reason = state.withLock { state -> String? in
            state.relays += 1
            if state.pause.didAccept() { logger.notice("accepting connections again") }
            return reasonToPause(state)
        }
        if let reason { pause(reason, on: loop) }
    }

    func leave() { state.withLock { $0.relays -= 1 } }

    /// Takes a descriptor for a flow, if there is one.
    func enterFlow() -> Bool {
        state.withLock { state in
            guard 2 * state.relays + state.flows < state.descriptorShare else { return false }
            state.flows += 1
            return true
        }
    }

    func leaveFlow() { state.withLock { $0.flows -= 1 } }

    /// Stops the listeners for a while.
    func pause(_ reason: String, on loop: any EventLoop) {
        let listeners = state.withLock { state -> [any Channel]? in
            guard !state.pause.isPaused else { return nil }
            if state.pause.begin(reason) {
                logger.warning("accepting connections is paused", metadata: ["reason": "\(reason)"])
            }
            return Array(state.listeners.values)
        }
        guard let listeners else { return }
        set(listeners, reading: false)
        loop.scheduleTask(in: Self.rest) { self.resume(on: loop) }
    }

    private func resume(on loop: any EventLoop) {
        let listeners = state.withLock { state -> [any Channel]? in
            guard reasonToPause(state) == nil else { return nil }
            state.pause.end()
            return Array(state.listeners.values)
        }
        guard let listeners else {
            loop.scheduleTask(in: Self.rest) { self.resume(on: loop) }
            return
        }
        set(listeners, reading: true)
    }

    private func set(_ listeners: [any Channel], reading: Bool) {
        for listener in listeners { listener.setOption(.autoRead, value: reading).whenFailure { _ in } }
    }

    private func reasonToPause(_ state: borrowing State) -> String? {
        guard state.relays < maximumRelays else { return "connection limit" }
        return 2 * (state.relays + 1) + state.flows <= state.descriptorShare ? nil : "limit of open files"
    }
}
