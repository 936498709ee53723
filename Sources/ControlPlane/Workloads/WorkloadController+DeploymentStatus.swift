import ClusterModel

/// What a Deployment says of itself: how many pods there are, and whether its rollout gets on.
extension WorkloadController {
    /// - Parameter hash: of the present template.
    mutating func writeStatus(deployment: KubeObject, _ uid: String, _ hash: String) -> Set<ObjectKey> {
        guard let deployment = index.deployments[deployment.key] else { return [] }
        let sets = index.replicaSets(ownedBy: uid)
        func sum(_ key: String, _ sets: [KubeObject]) -> Int {
            sets.reduce(0) { $0 + ($1.json["status"]?[key]?.intValue ?? 0) }
        }
        let desired = deployment.json["spec"]?["replicas"]?.intValue ?? 1
        let current = sets.filter { $0.labels[Self.hashLabel] == hash }
        let available = sum("availableReplicas", sets)
        let updated = sum("replicas", current)
        let numbers = [
            ("replicas", sum("replicas", sets)), ("updatedReplicas", updated),
            ("readyReplicas", sum("readyReplicas", sets)), ("availableReplicas", available),
            ("unavailableReplicas", max(0, desired - available)),
        ]
        var status: JSONValue = ["observedGeneration": JSONValue(deployment.generation ?? 1)]
        for (key, number) in numbers where number > 0 { status[key] = JSONValue(number) }
        let isDone =
            updated >= desired && sum("availableReplicas", current) >= desired && sum("replicas", sets) == updated
        let hasEnough = available >= desired
        let others = (deployment.json["status"]?["conditions"]?.arrayValue ?? []).filter {
            !Self.ownConditions.contains($0["type"]?.stringValue ?? "")
        }
        let own = [
            condition(
                of: deployment, "Available", hasEnough ? "True" : "False",
                hasEnough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                "Deployment \(hasEnough ? "has" : "does not have") minimum availability."),
            progress(of: deployment, to: status, in: "\(deployment.name)-\(hash)", isDone: isDone),
        ]
        status["conditions"] = .array(own + others)
        return setStatus(deployment, status)
    }

    private static let ownConditions = ["Available", "Progressing"]

    /// The condition Progressing, and when to look at it again.
    private mutating func progress(
        of deployment: KubeObject, to status: JSONValue, in set: String, isDone: Bool
    ) -> JSONValue {
        let type = "Progressing"
        if deployment.json["spec"]?["paused"]?.boolValue == true {
            return condition(of: deployment, type, "Unknown", "DeploymentPaused", "Deployment is paused")
        }
        let present = Self.condition(type, of: deployment)
        let subject = "ReplicaSet \"\(set)\""
        let success = "\(subject) has successfully progressed."
        // Once it was complete it stays so until there is another template, whatever becomes of its pods.
        let isStillDone =
            present?["message"]?.stringValue == success && status["replicas"] == status["updatedReplicas"]
        if isDone || isStillDone { return condition(of: deployment, type, "True", "NewReplicaSetAvailable", success) }
        let isTold = present?["message"]?.stringValue?.hasPrefix(subject) ?? false
        let hasMoved = !isTold || Self.isAhead(status, of: deployment.json["status"])
        let since = hasMoved ? nil : present?["lastUpdateTime"]?.stringValue.flatMap(Timestamp.unixSeconds)
        let deadline = deployment.json["spec"]?["progressDeadlineSeconds"]?.intValue ?? Int(Int32.max)
        let due = (since ?? now()) + Int64(deadline)
        let isLate = !hasMoved && present?["reason"]?.stringValue == "ProgressDeadlineExceeded"
        if isLate || due <= now() {
            return condition(
                of: deployment, type, "False", "ProgressDeadlineExceeded", "\(subject) has timed out progressing.")
        }
        if deadline < Int(Int32.max) { dueTimes[deployment.key] = due }
        return condition(
            of: deployment, type, "True", "ReplicaSetUpdated", "\(subject) is progressing.", isNew: hasMoved)
    }

    /// Whether there are more pods of the present template, fewer old ones, or more that are ready or available.
    private static func isAhead(_ new: JSONValue, of old: JSONValue?) -> Bool {
        func number(_ status: JSONValue?, _ key: String) -> Int { status?[key]?.intValue ?? 0 }
        func outdated(_ status: JSONValue?) -> Int { number(status, "replicas") - number(status, "updatedReplicas") }
        return outdated(new) < outdated(old)
            || ["updatedReplicas", "readyReplicas", "availableReplicas"].contains { number(new, $0) > number(old, $0) }
    }

    private static func condition(_ type: String, of deployment: KubeObject) -> JSONValue? {
        (deployment.json["status"]?["conditions"]?.arrayValue ?? []).first { $0["type"]?.stringValue == type }
    }

    /// A condition whose times stay while it does.
    ///
    /// - Parameter isNew: it was found again, which counts as an update.
    private func condition(
        of deployment: KubeObject, _ type: String, _ status: String, _ reason: String, _ message: String,
        isNew: Bool = false
    ) -> JSONValue {
        let old = Self.condition(type, of: deployment)
        var new: JSONValue = [
            "type": .string(type), "status": .string(status), "reason": .string(reason), "message": .string(message),
        ]
        let time = JSONValue.string(Timestamp.text(unixSeconds: now()))
        let isSame = !isNew && old?["status"] == new["status"] && old?["reason"] == new["reason"]
        new["lastUpdateTime"] = isSame ? old?["lastUpdateTime"] ?? time : time
        new["lastTransitionTime"] = old?["status"] == new["status"] ? old?["lastTransitionTime"] ?? time : time
        return new
    }
}
