import ClusterModel

/// When the change came about that makes a Service's endpoints differ (semantics 3.8).
///
/// As the real controllers count: the earliest of the changes since the last look, of the pods' condition Ready and of the
/// Service's creation. Several changes of one pod between two looks count as one.
struct TriggerTimes {
    static let annotation = "endpoints.kubernetes.io/last-change-trigger-time"

    private struct Known {
        var created: Int64?
        /// By pod.
        var readyChanges: [String: Int64] = [:]
    }

    private var known: [EndpointIndex.ServiceName: Known] = [:]

    /// Takes note of what there is now, and answers the time of what is new; nil when that is not known.
    mutating func note(_ name: EndpointIndex.ServiceName, _ service: Service, pods: [EndpointPod]) -> Int64? {
        let before = known[name]
        var now = Known(created: service.object.creationTimestamp.flatMap(Timestamp.unixSeconds))
        var earliest: Int64?
        now.readyChanges.reserveCapacity(pods.count)
        for pod in pods {
            guard let time = pod.readyChange else { continue }
            now.readyChanges[pod.name] = time
            if time > before?.readyChanges[pod.name] ?? .min { earliest = min(earliest ?? time, time) }
        }
        if let created = now.created, created > before?.created ?? .min { earliest = min(earliest ?? created, created) }
        known[name] = now
        return before == nil ? now.created : earliest
    }

    mutating func forget(_ name: EndpointIndex.ServiceName) { known[name] = nil }

    /// Sets or removes the annotation.
    static func annotate(_ object: inout KubeObject, _ time: Int64?) {
        let text = time.map { Timestamp.text(unixSeconds: $0) }
        var annotations = object.annotations
        guard annotations[annotation] != text else { return }
        annotations[annotation] = text
        object.annotations = annotations
    }
}
