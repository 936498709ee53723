package import ClusterModel
import ClusterStore
import Synchronization

/// Writes what happens to objects as Events, for `kubectl describe` and `kubectl get events`.
///
/// The same thing again only counts up. At most ``limit`` are kept, the newest ones.
package final class EventRecorder: Sendable {
    static let limit = 500

    private let store: Store
    private let now: @Sendable () -> Int64
    /// Ours, oldest first.
    private let order = Mutex<[ObjectKey]>([])

    /// - Parameter now: seconds since 1970.
    init(_ store: Store, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.now = now
    }

    /// Writes one Event about `object`; one that its namespace takes no more is lost.
    ///
    /// - Parameters:
    ///   - component: who noticed it.
    ///   - reason: one word in CamelCase.
    package func record(
        _ object: KubeObject, by component: String, isWarning: Bool, reason: String, message: String
    ) {
        let uid = object.uid ?? ""
        let identity = "\(uid) \(reason) \(message)"
        let name = "\(object.name.prefix(230)).\(String(StableHash.fnv1a(identity.utf8), radix: 16))"
        let key = ObjectKey(.events, namespace: object.namespace, name: name)
        let time = JSONValue.string(Timestamp.text(unixSeconds: now()))
        do throws(APIError) {
            if store.get(key) != nil {
                _ = try store.modify(key) { event in
                    event.json["count"] = JSONValue((event.json["count"]?.intValue ?? 1) + 1)
                    event.json["lastTimestamp"] = time
                }
                return
            }
            var event = KubeObject(.events, namespace: object.namespace, name: name)
            event.json["involvedObject"] = [
                "kind": .string(object.kind), "apiVersion": .string(object.apiVersion),
                "namespace": .string(object.namespace), "name": .string(object.name), "uid": .string(uid),
            ]
            event.json["reason"] = .string(reason)
            event.json["message"] = .string(message)
            event.json["type"] = isWarning ? "Warning" : "Normal"
            event.json["count"] = 1
            event.json["firstTimestamp"] = time
            event.json["lastTimestamp"] = time
            event.json["source"] = ["component": .string(component)]
            event.json["reportingComponent"] = .string(component)
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
