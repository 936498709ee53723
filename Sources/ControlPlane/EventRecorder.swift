package import ClusterModel
package import ClusterStore
import Synchronization

/// Writes what happens to objects as Events, for `kubectl describe` and `kubectl get events`.
///
/// The same thing again only counts up. At most ``limit`` are kept, the newest ones. About one object a component may say
/// ``burst`` things at once and then one every five minutes, as in a cluster; the rest is lost.
package final class EventRecorder: Sendable {
    static let limit = 500
    static let burst: Int64 = 25
    /// Until one more Event about an object may be written.
    private static let secondsPerEvent: Int64 = 300
    private static let mostBudgets = 4096

    /// What a component may still say about an object.
    private struct Budget {
        var left: Int64
        /// When `left` was true, in seconds since 1970.
        var since: Int64
    }

    private let store: Store
    private let now: @Sendable () -> Int64
    /// Ours, oldest first.
    private let order = Mutex<[ObjectKey]>([])
    private let budgets = Mutex<[String: Budget]>([:])

    /// - Parameter now: seconds since 1970.
    package init(_ store: Store, now: @escaping @Sendable () -> Int64) {
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
        let seconds = now()
        guard isAffordable("\(component) \(uid)", at: seconds) else { return }
        let identity = "\(uid) \(reason) \(message)"
        let name = "\(object.name.prefix(230)).\(String(StableHash.fnv1a(identity.utf8), radix: 16))"
        let key = ObjectKey(.events, namespace: object.namespace, name: name)
        let time = JSONValue.string(Timestamp.text(unixSeconds: seconds))
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
            // Only events of the newer kind have it; it is there all the same.
            event.json["eventTime"] = .null
            event.json["source"] = ["component": .string(component)]
            event.json["reportingComponent"] = .string(component)
            _ = try store.create(event)
            forgetOldest(besides: key)
        } catch {
            // A namespace that is being deleted takes no events; nobody misses them.
        }
    }

    private func isAffordable(_ subject: String, at now: Int64) -> Bool {
        budgets.withLock { budgets in
            if budgets.count >= Self.mostBudgets, budgets[subject] == nil { budgets.removeAll() }
            var budget = budgets[subject] ?? Budget(left: Self.burst, since: now)
            let earned = max(0, (now - budget.since) / Self.secondsPerEvent)
            budget.left = min(Self.burst, budget.left + earned)
            // What has been earned of the next one is not lost.
            budget.since = budget.left == Self.burst ? now : budget.since + earned * Self.secondsPerEvent
            defer { budgets[subject] = budget }
            guard budget.left > 0 else { return false }
            budget.left -= 1
            return true
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
