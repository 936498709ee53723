import ClusterModel
import ClusterStore
import Synchronization

/// Writes what happens to pods as Events, for `kubectl describe` and `kubectl get events`.
///
/// The same thing again only counts up. At most ``limit`` are kept, the newest ones.
final class EventRecorder: Sendable {
    static let limit = 500

    private let store: Store
    private let now: @Sendable () -> Int64
    /// Ours, oldest first.
    private let order = Mutex<[ObjectKey]>([])

    init(_ store: Store, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.now = now
    }

    func record(_ pod: Pod, isWarning: Bool, reason: String, message: String) {
        let identity = "\(pod.uid) \(reason) \(message)"
        let name = "\(pod.name.prefix(230)).\(String(StableHash.fnv1a(identity.utf8), radix: 16))"
        let key = ObjectKey(.events, namespace: pod.namespace, name: name)
        let time = JSONValue.string(Timestamp.text(unixSeconds: now()))
        do throws(APIError) {
            if store.get(key) != nil {
                _ = try store.modify(key) { event in
                    event.json["count"] = JSONValue((event.json["count"]?.intValue ?? 1) + 1)
                    event.json["lastTimestamp"] = time
                }
                return
            }
            var event = KubeObject(.events, namespace: pod.namespace, name: name)
            event.json["involvedObject"] = [
                "kind": "Pod", "apiVersion": "v1", "namespace": .string(pod.namespace), "name": .string(pod.name),
                "uid": .string(pod.uid),
            ]
            event.json["reason"] = .string(reason)
            event.json["message"] = .string(message)
            event.json["type"] = isWarning ? "Warning" : "Normal"
            event.json["count"] = 1
            event.json["firstTimestamp"] = time
            event.json["lastTimestamp"] = time
            event.json["source"] = ["component": "pod-runtime"]
            event.json["reportingComponent"] = "pod-runtime"
            _ = try store.create(event)
            forgetOldest(besides: key)
        } catch {
            // A namespace that is being deleted takes no events; nobody misses them.
        }
    }

    private func forgetOldest(besides key: ObjectKey) {
        let gone = order.withLock { order -> ObjectKey? in
            order.append(key)
            return order.count > Self.limit ? order.removeFirst() : nil
        }
        if let gone { _ = try? store.delete(gone) }
    }
}
