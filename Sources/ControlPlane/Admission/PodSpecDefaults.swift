import ClusterModel

/// What the API server fills into the spec of a pod and of a template (semantics 4.1 and the API server's own).
enum PodSpecDefaults {
    static func fillIn(_ spec: inout [String: JSONValue]) {
        fill(
            &spec,
            [
                ("restartPolicy", "Always"), ("dnsPolicy", "ClusterFirst"), ("terminationGracePeriodSeconds", 30),
                // kubectl debug 1.37 looks into it without asking whether it is there.
                ("securityContext", [:]), ("schedulerName", "default-scheduler"),
            ])
        for list in ["initContainers", "containers"] { change(list, of: &spec, container) }
        change("volumes", of: &spec, volume)
    }

    /// Changes each element of a list that is an object.
    static func change(
        _ list: String, of object: inout [String: JSONValue], _ body: (inout [String: JSONValue]) -> Void
    ) {
        guard case .array(let elements)? = object[list] else { return }
        object[list] = .array(
            elements.map { element in
                guard case .object(var members) = element else { return element }
                body(&members)
                return .object(members)
            })
    }

    private static func fill(_ object: inout [String: JSONValue], _ defaults: [(String, JSONValue)]) {
        for (key, value) in defaults where isAbsent(object[key]) { object[key] = value }
    }

    private static func isAbsent(_ value: JSONValue?) -> Bool { value == nil || value == .null || value == "" }

    private static func changeMember(
        _ key: String, of object: inout [String: JSONValue], _ body: (inout [String: JSONValue]) -> Void
    ) {
        guard case .object(var member)? = object[key] else { return }
        body(&member)
        object[key] = .object(member)
    }

    // MARK: Containers

    private static func container(_ container: inout [String: JSONValue]) {
        if let image = container["image"]?.stringValue, !image.isEmpty, isAbsent(container["imagePullPolicy"]) {
            container["imagePullPolicy"] = isLatest(image) ? "Always" : "IfNotPresent"
        }
        fill(
            &container,
            [
                ("resources", [:]), ("terminationMessagePath", "/dev/termination-log"),
                ("terminationMessagePolicy", "File"),
            ])
        change("ports", of: &container) { fill(&$0, [("protocol", "TCP")]) }
        change("env", of: &container) { variable in
            changeMember("valueFrom", of: &variable) { source in
                changeMember("fieldRef", of: &source) { fill(&$0, [("apiVersion", "v1")]) }
                changeMember("resourceFieldRef", of: &source) { fill(&$0, [("divisor", "0")]) }
            }
        }
        for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
            changeMember(kind, of: &container, probe)
        }
        changeMember("lifecycle", of: &container) { lifecycle in
            for hook in ["postStart", "preStop"] {
                changeMember(hook, of: &lifecycle) { changeMember("httpGet", of: &$0, request) }
            }
        }
    }

    /// Whether an image's tag is `latest`, which it also is without a tag and without a digest.
    private static func isLatest(_ image: String) -> Bool {
        guard !image.contains("@") else { return false }
        let name = image.split(separator: "/").last ?? ""
        guard let colon = name.firstIndex(of: ":") else { return true }
        return name[name.index(after: colon)...] == "latest"
    }

    private static func probe(_ probe: inout [String: JSONValue]) {
        for (key, value) in [
            ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3),
        ] as [(String, JSONValue)] where (probe[key]?.intValue ?? 0) == 0 {
            probe[key] = value
        }
        changeMember("httpGet", of: &probe, request)
        changeMember("grpc", of: &probe) { if $0["service"] == nil { $0["service"] = "" } }
    }

    private static func request(_ request: inout [String: JSONValue]) {
        fill(&request, [("path", "/"), ("scheme", "HTTP")])
    }

    // MARK: Volumes

    /// `rw-r--r--`.
    private static let fileMode: JSONValue = 0o644
    private static let fileVolumes = ["configMap", "secret", "projected", "downwardAPI"]

    private static func volume(_ volume: inout [String: JSONValue]) {
        // With nothing but its name it is an empty folder.
        if volume.count == 1, volume["name"] != nil { volume["emptyDir"] = [:] }
        for kind in fileVolumes {
            changeMember(kind, of: &volume) { source in
                fill(&source, [("defaultMode", fileMode)])
                if kind == "downwardAPI" { change("items", of: &source, fieldVersion) }
                if kind == "projected" {
                    change("sources", of: &source) { part in
                        changeMember("downwardAPI", of: &part) { change("items", of: &$0, fieldVersion) }
                        changeMember("serviceAccountToken", of: &part) { fill(&$0, [("expirationSeconds", 3600)]) }
                    }
                }
            }
        }
        changeMember("hostPath", of: &volume) { if $0["type"] == nil { $0["type"] = "" } }
    }

    private static func fieldVersion(_ item: inout [String: JSONValue]) {
        changeMember("fieldRef", of: &item) { fill(&$0, [("apiVersion", "v1")]) }
    }
}
