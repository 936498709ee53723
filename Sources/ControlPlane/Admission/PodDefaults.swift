import ClusterModel

/// The defaults of a Pod (semantics 4.1 and the API server's own).
enum PodDefaults {
    /// - Parameter old: what is stored now: a pod keeps the node that it was given.
    static func fillIn(_ object: inout KubeObject, old: KubeObject? = nil) {
        guard var spec = object.json["spec"], spec.objectValue != nil else { return }
        for (key, value) in [
            ("restartPolicy", "Always"), ("dnsPolicy", "ClusterFirst"), ("terminationGracePeriodSeconds", 30),
            ("enableServiceLinks", true),
            // kubectl debug 1.37 looks into it without asking whether it is there.
            ("securityContext", [:]),
        ] as [(String, JSONValue)] where spec[key] == nil || spec[key] == .null {
            spec[key] = value
        }
        if let node = old?.json["spec"]?["nodeName"], spec["nodeName"] == nil {
            spec["nodeName"] = node
        }
        let isHostNetwork = spec["hostNetwork"]?.boolValue == true
        for list in ["initContainers", "containers"] {
            guard let containers = spec[list]?.arrayValue else { continue }
            spec[list] = .array(containers.map { container($0, isHostNetwork: isHostNetwork) })
        }
        object.json["spec"] = spec
    }

    private static func container(_ json: JSONValue, isHostNetwork: Bool) -> JSONValue {
        guard json.objectValue != nil else { return json }
        var container = json
        if let ports = container["ports"]?.arrayValue {
            container["ports"] = .array(ports.map { port($0, isHostNetwork: isHostNetwork) })
        }
        for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
            guard let probe = container[kind], probe.objectValue != nil else { continue }
            container[kind] = self.probe(probe)
        }
        return container
    }

    private static func port(_ json: JSONValue, isHostNetwork: Bool) -> JSONValue {
        guard json.objectValue != nil else { return json }
        var port = json
        if (port["protocol"]?.stringValue ?? "").isEmpty { port["protocol"] = "TCP" }
        // On the node's network it is the node's port.
        if isHostNetwork, (port["hostPort"]?.intValue ?? 0) == 0 { port["hostPort"] = port["containerPort"] }
        return port
    }

    private static func probe(_ json: JSONValue) -> JSONValue {
        var probe = json
        for (key, value) in [
            ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3),
        ] as [(String, JSONValue)] where (probe[key]?.intValue ?? 0) == 0 {
            probe[key] = value
        }
        if var http = probe["httpGet"], http.objectValue != nil {
            if (http["path"]?.stringValue ?? "").isEmpty { http["path"] = "/" }
            if (http["scheme"]?.stringValue ?? "").isEmpty { http["scheme"] = "HTTP" }
            probe["httpGet"] = http
        }
        return probe
    }
}
