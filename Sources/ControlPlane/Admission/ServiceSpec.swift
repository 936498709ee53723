import ClusterModel
import NetTypes

/// The `spec` of a Service as it is worked on: JSON, with short ways to the fields that have rules.
struct ServiceSpec: Equatable {
    var json: JSONValue

    init(_ json: JSONValue?) { self.json = json ?? [:] }

    var type: String {
        get { text("type") }
        set { set("type", newValue) }
    }
    var clusterIP: String {
        get { text("clusterIP") }
        set { set("clusterIP", newValue) }
    }
    var clusterIPs: [String] {
        get { json["clusterIPs"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        set { json["clusterIPs"] = newValue.isEmpty ? nil : .array(newValue.map { .string($0) }) }
    }
    var families: [String] {
        get { json["ipFamilies"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        set { json["ipFamilies"] = newValue.isEmpty ? nil : .array(newValue.map { .string($0) }) }
    }
    var familyPolicy: String? {
        get { text("ipFamilyPolicy").isEmpty ? nil : text("ipFamilyPolicy") }
        set { json["ipFamilyPolicy"] = newValue.map { .string($0) } }
    }
    var ports: [JSONValue] {
        get { json["ports"]?.arrayValue ?? [] }
        set { json["ports"] = newValue.isEmpty ? nil : .array(newValue) }
    }
    var healthCheckNodePort: Int {
        get { json["healthCheckNodePort"]?.intValue ?? 0 }
        set { json["healthCheckNodePort"] = newValue == 0 ? nil : JSONValue(newValue) }
    }
    var hasSelector: Bool { !(json["selector"]?.objectValue ?? [:]).isEmpty }
    var externalTrafficPolicy: String { text("externalTrafficPolicy") }

    var isExternalName: Bool { type == "ExternalName" }
    var isHeadless: Bool { clusterIPs.first == "None" || (clusterIPs.isEmpty && clusterIP == "None") }
    /// Type NodePort or LoadBalancer.
    var hasNodePorts: Bool { type == "NodePort" || type == "LoadBalancer" }
    /// Reachable from outside, so that externalTrafficPolicy has a meaning (2.1, "ext").
    var isExternallyAccessible: Bool {
        hasNodePorts || (type == "ClusterIP" && !(json["externalIPs"]?.arrayValue ?? []).isEmpty)
    }
    var wantsHealthCheckPort: Bool { type == "LoadBalancer" && externalTrafficPolicy == "Local" }
    /// Whether ports without a number get one.
    var allocatesNodePorts: Bool {
        type == "NodePort"
            || (type == "LoadBalancer" && json["allocateLoadBalancerNodePorts"]?.boolValue != false)
    }

    func text(_ key: String) -> String { json[key]?.stringValue ?? "" }

    private mutating func set(_ key: String, _ value: String) { json[key] = value.isEmpty ? nil : .string(value) }
}

extension JSONValue {
    /// The node port of a Service port; 0 for none.
    var nodePort: Int {
        get { self["nodePort"]?.intValue ?? 0 }
        set { self["nodePort"] = newValue == 0 ? nil : JSONValue(newValue) }
    }
}
