import ClusterModel

/// What becomes of a Pod when it is written: the API server's defaults, and what its admission adds to new pods.
enum PodDefaults {
    /// - Parameter old: what is stored now: a pod keeps the node that it was given.
    static func fillIn(_ object: inout KubeObject, old: KubeObject? = nil) {
        guard case .object(var spec)? = object.json["spec"] else { return }
        PodSpecDefaults.fillIn(&spec)
        if spec["enableServiceLinks"] == nil || spec["enableServiceLinks"] == .null {
            spec["enableServiceLinks"] = true
        }
        if let node = old?.json["spec"]?["nodeName"], spec["nodeName"] == nil { spec["nodeName"] = node }
        let isHostNetwork = spec["hostNetwork"]?.boolValue == true
        for list in ["initContainers", "containers"] {
            PodSpecDefaults.change(list, of: &spec) { container in
                requestLimits(&container)
                guard isHostNetwork else { return }
                // On the node's network a port is the node's.
                PodSpecDefaults.change("ports", of: &container) { port in
                    if (port["hostPort"]?.intValue ?? 0) == 0 { port["hostPort"] = port["containerPort"] }
                }
            }
        }
        let isMirror = object.json["metadata"]?["annotations"]?[Pod.mirrorAnnotation] != nil
        if !isMirror { identify(&spec) }
        tolerate(&spec)
        if spec["priority"] == nil { spec["priority"] = 0 }
        if spec["preemptionPolicy"] == nil { spec["preemptionPolicy"] = "PreemptLowerPriority" }
        object.json["spec"] = .object(spec)
    }

    /// Who limits a resource and does not say how much is needed needs as much.
    private static func requestLimits(_ container: inout [String: JSONValue]) {
        guard case .object(let limits)? = container["resources"]?["limits"], !limits.isEmpty else { return }
        var requests = container["resources"]?["requests"]?.objectValue ?? [:]
        requests.merge(limits) { own, _ in own }
        container["resources"]?["requests"] = .object(requests)
    }

    private static func identify(_ spec: inout [String: JSONValue]) {
        func name(_ key: String) -> String? { spec[key]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } }
        let account = JSONValue.string(
            name("serviceAccountName") ?? name("serviceAccount") ?? ServiceAccountKeeper.defaultName)
        spec["serviceAccountName"] = account
        spec["serviceAccount"] = account
    }

    /// A pod stays for five minutes on a node that is not ready or does not answer.
    private static func tolerate(_ spec: inout [String: JSONValue]) {
        var present = spec["tolerations"]?.arrayValue ?? []
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            let isTolerated = present.contains { toleration in
                let effect = toleration["effect"]?.stringValue ?? ""
                let other = toleration["key"]?.stringValue ?? ""
                return (effect.isEmpty || effect == "NoExecute") && (other.isEmpty || other == key)
            }
            guard !isTolerated else { continue }
            present.append(
                ["key": .string(key), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300])
        }
        spec["tolerations"] = .array(present)
    }

    /// The status of a new pod until its runtime says more.
    static func begin(_ object: inout KubeObject) {
        if object.json["status"] == nil || object.json["status"] == [:] || object.json["status"] == .null {
            object.json["status"] = ["phase": "Pending", "qosClass": .string(QualityOfService(object).rawValue)]
        }
        guard object.json["spec"]?["schedulingGates"]?.arrayValue?.isEmpty == false else { return }
        object.json["status"]?["conditions"] = [
            [
                "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates", "lastProbeTime": .null,
                "lastTransitionTime": .null,
            ]
        ]
    }
}
