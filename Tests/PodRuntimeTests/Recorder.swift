import ClusterModel
import PodRuntime
import Synchronization

/// Keeps each pod's status and hands every change to whoever waits.
final class Recorder: PodRuntimeObserver {
    private let statuses = Mutex<[String: JSONValue]>([:])
    private let notes = Mutex<[String]>([])
    let changes: AsyncStream<(name: String, status: JSONValue?)>
    private let continuation: AsyncStream<(name: String, status: JSONValue?)>.Continuation

    init() { (changes, continuation) = AsyncStream.makeStream() }

    func statusChanged(_ pod: Pod, write: @Sendable (JSONValue?) -> JSONValue) {
        let status = statuses.withLock { statuses in
            let new = write(statuses[pod.name])
            statuses[pod.name] = new
            return new
        }
        continuation.yield((pod.name, status))
    }
    func finished(_ pod: Pod) { continuation.yield((pod.name, nil)) }
    func note(_ pod: Pod, isWarning: Bool, reason: String, message: String) {
        notes.withLock { $0.append(message) }
    }

    func said(_ text: String) -> Bool { notes.withLock { $0.contains { $0.contains(text) } } }
}
