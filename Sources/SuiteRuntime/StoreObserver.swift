import ClusterModel
import ClusterStore
import ControlPlane
import Logging
import PodRuntime
import ServiceProxy

/// Writes what the pod runtime finds into the store, where everybody else sees it.
struct StoreObserver: PodRuntimeObserver {
    let store: Store
    let logger: Logger
    let events: EventRecorder
    /// While everything is being stopped, failing probes are no news.
    let isStopping: @Sendable () -> Bool

    func statusChanged(_ pod: Pod, write: @Sendable (JSONValue?) -> JSONValue) {
        do throws(APIError) {
            _ = try store.modify(pod.object.key) { object in
                guard object.uid == pod.uid else { return }
                object.json["status"] = write(object.json["status"])
            }
        } catch {
            if error.reason != .notFound {
                logger.error("a pod's status was refused", metadata: ["reason": "\(error)"])
            }
        }
    }

    func finished(_ pod: Pod) {
        // A pod that ended because the suite stops stays as it is; one that was deleted is gone now.
        guard let present = store.get(pod.object.key), present.uid == pod.uid, present.deletionTimestamp != nil else {
            return
        }
        do throws(APIError) {
            _ = try store.delete(pod.object.key, gracePeriod: 0, uid: pod.uid)
        } catch {
            if error.reason != .notFound { logger.error("a pod was not removed", metadata: ["reason": "\(error)"]) }
        }
    }

    func note(_ pod: Pod, isWarning: Bool, reason: String, message: String) {
        if !isStopping() {
            events.record(
                pod.object, by: "kubelet", isWarning: isWarning, reason: reason, message: message)
        }
        logger.log(
            level: isWarning && !isStopping() ? .warning : .info, "\(reason)",
            metadata: ["pod": "\(pod.namespace)/\(pod.name)", "message": "\(message)"])
    }
}
