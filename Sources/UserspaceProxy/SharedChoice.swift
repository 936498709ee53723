import ServiceRouting
import Synchronization

/// What the choices at one Service port remember, shared by all its frontends and by all loops.
final class SharedChoice: Sendable {
    /// What is remembered; guarded by the lock.
    struct State {
        /// nil without affinity (7.7).
        var affinity: AffinityTable?
        /// nil for a random choice (7.3).
        var rotation: Rotation?
    }

    let state: Mutex<State>

    init(affinity: AffinityTable?, rotation: Rotation?) {
        state = Mutex(State(affinity: affinity, rotation: rotation))
    }
}
