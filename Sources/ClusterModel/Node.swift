package import NetTypes

/// A Node, read once from its JSON object.
package struct Node: Sendable, Hashable {
    package let name: String
    package let labels: [String: String]
    /// Label `topology.kubernetes.io/zone`; nil when it is missing or empty.
    package let zone: String?
    /// Condition Ready is True.
    package let isReady: Bool
    /// Addresses of type InternalIP, in order.
    package let internalIPs: [IPAddress]
    /// Thousandths of a CPU in `status.allocatable.cpu`; nil when it is missing or zero.
    package let allocatableMilliCPU: Int?
    package let taints: [Taint]
    /// Labelled as control plane, so that topology hints do not count it (3.10).
    package let isControlPlane: Bool

    /// Reads `object`, which should be valid; fields that cannot be read count as absent.
    package init(_ object: KubeObject) {
        name = object.name
        labels = object.labels
        zone = labels["topology.kubernetes.io/zone"]?.nilIfEmpty
        isControlPlane =
            labels["node-role.kubernetes.io/control-plane"] != nil || labels["node-role.kubernetes.io/master"] != nil
        taints = (object.json["spec"]?["taints"]?.arrayValue ?? []).compactMap(Taint.init)
        let status = object.json["status"]
        isReady = (status?["conditions"]?.arrayValue ?? []).contains {
            $0["type"]?.stringValue == "Ready" && $0["status"]?.stringValue == "True"
        }
        internalIPs = (status?["addresses"]?.arrayValue ?? []).compactMap { entry in
            guard entry["type"]?.stringValue == "InternalIP" else { return nil }
            return entry["address"]?.stringValue.flatMap { IPAddress($0) }
        }
        allocatableMilliCPU = Self.milliCPU(status?["allocatable"]?["cpu"])
    }

    /// `2`, `"2"`, `"1500m"`, `"0.5"`.
    private static func milliCPU(_ json: JSONValue?) -> Int? {
        let milli: Double?
        switch json {
        case .integer(let value): milli = Double(value) * 1000
        case .number(let value): milli = value * 1000
        case .string(let text) where text.hasSuffix("m"): milli = Double(text.dropLast())
        case .string(let text): milli = Double(text).map { $0 * 1000 }
        default: milli = nil
        }
        guard let milli, milli.isFinite, milli >= 1, milli < 1e12 else { return nil }
        return Int(milli)
    }
}
