import ClusterModel
import ClusterStore

/// Whether a pod may be evicted, by the PodDisruptionBudgets that select it.
enum EvictionGrant {
    /// Notes that the pod goes.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Throws: TooManyRequests where too few pods would be left: the client asks again later.
    static func take(for pod: KubeObject, in store: Store, isDryRun: Bool, now: Int64) throws(APIError) {
        // Pods that do not run yet or no longer are missed by nobody.
        let phase = pod.json["status"]?["phase"]?.stringValue ?? "Pending"
        guard pod.deletionTimestamp == nil, phase == "Running" || phase == "Unknown" else { return }
        let budgets = store.list(.poddisruptionbudgets, namespace: pod.namespace).items.filter {
            DisruptionBudget($0).selects(pod)
        }
        guard let first = budgets.first else { return }
        guard budgets.count == 1 else {
            throw APIError(
                .internalError,
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
        }
        let isReady = Pod(pod).isReady
        if isDryRun { return try check(DisruptionBudget(first), isReady: isReady) }
        var refusal: APIError?
        _ = try store.modify(first.key) { object in
            let budget = DisruptionBudget(object)
            do throws(APIError) {
                try check(budget, isReady: isReady)
            } catch {
                refusal = error
                return
            }
            guard isReady else { return }
            object.json["status"]?["disruptionsAllowed"] = JSONValue(budget.disruptionsAllowed - 1)
            var disrupted = budget.disruptedPods
            disrupted[pod.name] = .string(Timestamp.text(unixSeconds: now))
            object.json["status"]?["disruptedPods"] = .object(disrupted)
        }
        if let refusal { throw refusal }
    }

    private static func check(_ budget: DisruptionBudget, isReady: Bool) throws(APIError) {
        let name = budget.object.name
        guard budget.isObserved else {
            throw refusal("The disruption budget \(name) is still being processed by the server.", retryAfter: 10)
        }
        if !isReady {
            let isHealthy = budget.currentHealthy >= budget.desiredHealthy && budget.desiredHealthy > 0
            if budget.letsUnhealthyGo || isHealthy { return }
        }
        guard budget.disruptionsAllowed > 0 else {
            throw refusal(
                "The disruption budget \(name) needs \(budget.desiredHealthy) healthy pods and has "
                    + "\(budget.currentHealthy) currently")
        }
    }

    private static func refusal(_ cause: String, retryAfter: Int? = nil) -> APIError {
        var error = APIError(
            .tooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.")
        error.otherCauses = [APIError.Cause(reason: "DisruptionBudget", message: cause)]
        error.retryAfterSeconds = retryAfter
        return error
    }
}
